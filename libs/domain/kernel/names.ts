import type { z } from 'zod';
import { ONE_LINE, wrongInName } from './text.ts';

/** A text of a request that people read as a name: in the headers of mails, in lists, on receipts. */
export const nameIn = (text: z.ZodString) =>
  text
    .regex(ONE_LINE, 'must be one line of text')
    .refine((name) => wrongInName(name) === undefined, { error: ({ input }) => wrongInName(String(input)) });
