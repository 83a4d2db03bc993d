import { LARGEST_PAGE } from '#read-models/queries/paging';
import { historyReader } from '#requests/histories';
import { decisionsOf, type PolicyDecision } from '#requests/policy-decisions';
import { openForReading, type StoreLocation } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { printJson, printLines } from './print.ts';

/**
 * Prints what was decided by a version of the policy, oldest first, and how much of each kind.
 * @throws CommandFailed for a version that there is not
 */
export async function decisions(
  location: StoreLocation,
  version: string,
  { json = false }: { json?: boolean },
): Promise<void> {
  const stores = await openForReading(location);
  try {
    const { events, vault } = stores;
    await events.damages?.searched();
    const tools = { events, histories: historyReader(events, (_, box) => vault.open(box)) };
    const counts: Record<string, number> = {};
    let cursor: string | undefined;
    do {
      const request = { version: Number(version), limit: LARGEST_PAGE, ...(cursor !== undefined && { cursor }) };
      const page = await decisionsOf(tools, request);
      if (!page) throw new CommandFailed(`there is no version ${version} of the policy`);
      for (const decision of page.items) {
        counts[decision.type] = (counts[decision.type] ?? 0) + 1;
        if (json) printJson(decision);
        else printLines(line(decision));
      }
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    if (!json) printLines('', ...Object.entries(counts).map(([type, count]) => `${type}: ${count}`));
  } finally {
    await stores.close();
  }
}

const line = ({ at, type, stream, revision, actor }: PolicyDecision): string =>
  `${at}  ${type}  ${stream}@${revision}  ${actor}`;
