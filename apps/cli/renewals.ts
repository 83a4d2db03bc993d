import { z } from 'zod';
import { counted } from '#domain/kernel/counted';
import type { AttentionRow } from '#read-models/queries/attention';
import type { WordAboutRenewals } from '#requests/missed-renewals';
import type { StoreLocation } from '#wiring/stores';
import { askStore } from './ask-store.ts';
import { CommandFailed } from './command-failed.ts';
import { printJson, printLines } from './print.ts';
import { noteCounts } from './telling.ts';

interface Choice {
  readonly all?: boolean;
  readonly store?: string;
  readonly order?: string;
  readonly reason: string;
}

const PAGE = 200;
const page = z.object({ items: z.array(z.custom<AttentionRow>()), nextCursor: z.string().optional() });

/** Lists the renewals that wait for an operator (LOY-10), longest waiting first. */
export async function listMissedRenewals(location: StoreLocation, { json = false }: { json?: boolean }): Promise<void> {
  const rows: AttentionRow[] = [];
  let cursor: string | undefined;
  do {
    const found = page.parse(await onePage(location, cursor));
    rows.push(...found.items);
    cursor = found.nextCursor;
  } while (cursor !== undefined);
  if (json) return printJson({ items: rows });
  for (const { since, orderId, storeId, customerId } of rows)
    printLines(`${since}  order ${orderId}  store ${storeId}  customer ${customerId}`);
  printLines(`${counted(rows.length, 'renewal waits', 'renewals wait')} for an operator`);
}

const onePage = (location: StoreLocation, cursor: string | undefined): Promise<unknown> =>
  askStore(location, {
    method: 'GET',
    path: `/api/attention?reason=renewal-missed&limit=${PAGE}${cursor === undefined ? '' : `&cursor=${cursor}`}`,
    catchesUp: true,
    here: ({ queries }, context) =>
      queries.attention.list(context, {
        reason: 'renewal-missed',
        limit: PAGE,
        ...(cursor !== undefined && { cursor }),
      }),
  });

/** Releases or skips renewals that wait: of one order, of one store, or all. @throws CommandFailed, CannotOpenStore */
export async function decideMissedRenewals(
  location: StoreLocation,
  word: WordAboutRenewals,
  { all, store, order, reason }: Choice,
): Promise<void> {
  if ([all, store, order].filter((choice) => choice !== undefined).length !== 1)
    throw new CommandFailed('say about which renewals: one of --all, --store, --order');
  if (order !== undefined) {
    await decideOne(location, word, order, reason);
    noteCounts({ decided: 1 });
    return printLines(`${word === 'release' ? 'released' : 'skipped'}: the renewal of order ${order}`);
  }
  const { decided, left } = (await decideSeveral(location, word, store, reason)) as { decided: number; left: number };
  noteCounts({ decided, left });
  printLines(
    `${word === 'release' ? 'released' : 'skipped'}: ${counted(decided, 'renewal')}; left as they are: ${left}`,
  );
}

const decideSeveral = (location: StoreLocation, word: WordAboutRenewals, storeId: string | undefined, reason: string) =>
  askStore(location, {
    method: 'POST',
    path: `/api/missed-renewals/${word}`,
    body: { ...(storeId !== undefined && { storeId }) },
    reason,
    catchesUp: true,
    settles: true,
    here: ({ operations }, context) => operations.decideMissedRenewals(context, { word, storeId }),
  });

const decideOne = (location: StoreLocation, word: WordAboutRenewals, orderId: string, reason: string) =>
  askStore(location, {
    method: 'POST',
    path: `/api/programmes/${encodeURIComponent(orderId)}/missed-renewal/${word}`,
    reason,
    catchesUp: true,
    settles: true,
    async here({ requests: { programmes } }, context) {
      const ask = word === 'release' ? programmes.releaseRenewal : programmes.skipRenewal;
      const { outcome } = await ask(orderId, context);
      if (outcome.kind === 'refused') throw new CommandFailed(outcome.refusal.message);
    },
  });
