/**
 * For each read model, a digest of the rows that it makes of the sample events. It is a part of the model's version: with
 * another digest, the model is rebuilt at the next start. `row-digests.spec.ts` fails when one is out of date.
 */
export const rowDigests: Readonly<Record<string, string>> = {};
