import { renameSync, rmSync } from 'node:fs';
import { BEFORE_FIRST, type EventStore } from '#event-store/port';
import { filesOf } from './engine/embedded-database.ts';
import { makeTemplate, makeTemplateWith } from './engine/template.ts';
import { allTables, openReadModels } from './read-models.ts';

/** To make tables, only this is asked of a log. */
const emptyLog: Partial<EventStore> = { identity: async () => 'none', head: async () => BEFORE_FIRST };

async function makeTables(directory: string): Promise<void> {
  const home = `${directory}.home`;
  const readModels = await openReadModels({ store: emptyLog as EventStore, directory: home });
  await readModels.stop();
  renameSync(filesOf(home), directory);
  rmSync(home, { recursive: true });
}

await makeTemplate();
await makeTemplateWith(allTables, makeTables);
