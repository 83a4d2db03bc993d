import { decode, type Fact, type FactOf } from '#domain/codec';
import { type Instant, isUnsealed } from '#domain/kernel/events';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { familyOf } from '#domain/ledger';
import { lookKey, monthOf } from '#domain/support/look';
import { DamagedEvent, type EventStore, type RecordedEvent } from '#event-store/port';
import { changeBoxes } from './boxes-in.ts';
import { StreamOwners } from './newest-forms.ts';
import { sealingIn, subjectOf } from './present-seals.ts';

/** A key, and whose data its box has. */
export interface KeyInLog {
  readonly keyId: string;
  readonly subject: string;
  /** When somebody looked. After an erasure, the reasons of looks are sealed with a key that belongs to nobody. */
  readonly lookedAt?: Instant;
}

/** The keys of the boxes in a stream. Reasons are left out, except of looks: some are sealed with a key that belongs to nobody. */
export async function keysIn(events: Pick<EventStore, 'readStream'>, stream: string): Promise<readonly KeyInLog[]> {
  const owners = new StreamOwners();
  const keys: KeyInLog[] = [];
  for (const fact of await factsReadable(events, stream)) {
    const customerId = owners.of(fact);
    await changeBoxes(fact.data, async (box, path) => {
      const owner = sealingIn(fact.type, path)?.owner;
      const isOfNobody =
        !['subject', 'member', 'holder'].includes(owner ?? '') &&
        customerId === undefined &&
        familyOf(stream) !== 'lead';
      if (owner === undefined || isOfNobody || isUnsealed(box)) return;
      keys.push({ keyId: box.keyId, subject: subjectOf(fact, owner, customerId) });
    });
    if (fact.type === 'CustomerHistoryShown') keys.push(...keyOfLook(fact));
  }
  return keys;
}

function keyOfLook({ data, cause: { reason } }: FactOf<'CustomerHistoryShown'>): readonly KeyInLog[] {
  if (reason === undefined || isUnsealed(reason)) return [];
  const subject = lookKey(data.customerId, monthOf(data.at));
  return [{ keyId: reason.keyId, subject, lookedAt: data.at }];
}

/** What can be read of a stream: one that is damaged does not keep the store from starting. */
export async function factsReadable(events: Pick<EventStore, 'readStream'>, stream: string): Promise<readonly Fact[]> {
  const facts: Fact[] = [];
  try {
    for await (const stored of events.readStream(stream)) facts.push(...readable(stored));
  } catch (error) {
    if (!(error instanceof DamagedEvent)) throw error;
  }
  return facts;
}

function readable(stored: RecordedEvent): readonly Fact[] {
  try {
    return [decode(stored)];
  } catch (error) {
    if (error instanceof UnreadableEvent) return [];
    throw error;
  }
}
