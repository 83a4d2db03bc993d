import { z } from 'zod';

/** The field of an answer that was made from the state of a stream. Rows have theirs as a column. */
export const revision = z.int().describe('Revision of the stream: the ETag, and what If-Match compares.');
