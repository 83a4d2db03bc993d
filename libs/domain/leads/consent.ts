import { z } from 'zod';
import { instant } from '../kernel/events.ts';
import { parseInstant } from '../kernel/instants.ts';

const address = (protocol: RegExp) => z.url({ protocol, hostname: z.regexes.domain }).max(2000);

/**
 * Evidence that a person agreed to be contacted (DLV-12). The page and the certificate may name the person, and the IP address is one
 * of the person: so all of it is in one sealed box.
 */
export const consent = z.strictObject({
  text: z.string().trim().min(1).max(5000).describe('The words to which the person agreed, as they were shown.'),
  at: z
    .string()
    .max(40)
    .overwrite((text) => parseInstant(text) ?? text)
    .pipe(instant)
    .meta({ format: 'date-time' })
    .describe('When the person agreed: an instant with a zone.'),
  page: address(/^https?$/)
    .optional()
    .describe('The web address of the page on which the words were shown.'),
  ip: z.union([z.ipv4(), z.ipv6()]).optional().describe('The IP address of the person.'),
  certificate: address(/^https$/)
    .optional()
    .describe('The web address of the certificate of a consent service. It is stored, and never called.'),
});
export type Consent = z.infer<typeof consent>;
