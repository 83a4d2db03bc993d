import { z } from 'zod';
import { instant } from '#domain/kernel/events';
import { type Damage, type Damages, damageInWords, foreignDamage, isRefused } from '#event-store/damage';
import type { EventStore } from '#event-store/port';
import { exampleIds } from '#read-models/models/examples';

export const damagedStream = z
  .object({
    stream: z.string().describe('The stream: the kind and id of the thing.'),
    how: z
      .enum(['cut', 'deleted', 'tombstoned', 'incomplete', 'foreign', 'no-access'])
      .describe(
        'What was done. cut: its metadata hides events; tombstoned: it was deleted for ever; incomplete: events are lost; foreign: another program writes to a stream of this name; no-access: its access list does not let this account read it, or write to it.',
      ),
    firstRevision: z
      .int()
      .nullable()
      .describe(
        'The first event that can be read. Null: none can. 0: it is whole still, but its metadata will hide events, or, without access, the account may read it. Where it is foreign: the first event of another program that was noticed.',
      ),
    refused: z.boolean().describe('Whether commands and reads of its state are refused.'),
    noticedAt: instant.describe('When this program noticed.'),
    what: z.string().describe('What happened to it, for people.'),
    wayBack: z.string().describe('How it becomes whole again, and what is lost.'),
  })
  .meta({ id: 'DamagedStream' });
export type DamagedStream = z.infer<typeof damagedStream>;

const RESTORE = 'restore the log from a backup';
const TAKE_BACK = 'take $maxCount, $maxAge and $tb out of its metadata';

export const damagedStreamExample: DamagedStream = describeDamage({
  stream: `order-${exampleIds.orderId}`,
  how: 'cut',
  firstRevision: 4,
  noticedAt: '2026-03-02T15:12:40.000Z',
});

/** How much of what others do to the streams of the ledger is seen. */
export const sights = ['searching', 'watching', 'blind', 'away', 'alone'] as const;

/** `alone`: nobody else can touch the streams. */
export const sightOf = (damages: Damages | undefined): (typeof sights)[number] => damages?.sight ?? 'alone';

export const damagedStreamsIn = (damages: Damages | undefined): readonly DamagedStream[] =>
  (damages?.all() ?? []).map(describeDamage);

/** Streams that are named like ours, and to which others write. */
export const foreignStreamsIn = ({ foreignStreams }: Pick<EventStore, 'foreignStreams'>): readonly DamagedStream[] =>
  (foreignStreams?.all() ?? []).map(foreignDamage).map(describeDamage);

function describeDamage(damage: Damage): DamagedStream {
  const { stream, how, firstRevision = null, noticedAt } = damage;
  const words = { what: damageInWords(damage), wayBack: wayBackOf(damage) };
  return { stream, how, firstRevision, refused: isRefused(damage), noticedAt, ...words };
}

function wayBackOf({ how, firstRevision }: Damage): string {
  const lost = firstRevision === undefined ? 'all its events are lost' : lostBefore(firstRevision);
  const unlessLost = `it is whole again at once, unless a scavenge has removed what was hidden: then ${lost}; ${RESTORE}`;
  switch (how) {
    case 'cut':
      return firstRevision === 0 ? TAKE_BACK : `${TAKE_BACK}: ${unlessLost}`;
    case 'deleted':
      return `write its metadata with $tb 0, twice (the first time the server only ends the deletion): ${unlessLost}`;
    case 'tombstoned':
      return `a tombstone cannot be taken back: before a scavenge, copy the log into a new one (leadger copy), which has all events of the stream; after it they are lost; ${RESTORE}`;
    case 'no-access':
      return 'take $acl out of its metadata, or give this account its roles (docs/deploy.md)';
    case 'foreign':
      return 'have that program name its streams otherwise, and give the ledger a log of its own: leadger copy leaves out what others wrote';
    case 'incomplete':
      return `${lost}, or hidden by metadata that this account may not see: ${TAKE_BACK}, or ${RESTORE}`;
  }
}

function lostBefore(revision: number): string {
  return revision === 1 ? 'its event 0 is lost' : `its events 0 to ${revision - 1} are lost`;
}
