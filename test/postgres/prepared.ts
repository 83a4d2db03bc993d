import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the embedded database is that every test may copy. */
export const PREPARED = 'LEADGER_TEST_PREPARED_DATABASE';

/** Puts an embedded database in which nothing was done yet where read models will look for theirs. */
export function prepareReadModels(directory: string): void {
  mkdirSync(directory, { recursive: true });
  cpSync(process.env[PREPARED] as string, join(directory, 'pglite'), { recursive: true });
}
