import { decode, type Fact } from '#domain/codec';
import type { Sealed } from '#domain/kernel/events';
import { originStream } from '#domain/logs/log-origin';
import type { EventStore, RecordedEvent } from '#event-store/port';
import { CannotOpenBox, type Vault } from '#vault/vault';
import { changeBoxes } from './boxes-in.ts';
import { appendAll, NoCopy, nameIn, type Source } from './copy-log.ts';
import { encodedAgain, NewestForms } from './newest-forms.ts';
import { type Counts, PresentSeals } from './present-seals.ts';

interface SealedCopy {
  readonly copied: number;
  readonly compared: number;
  readonly counts: Counts;
  /** Actors that were names or addresses, each with its id in the copy. */
  readonly renamed: ReadonlyMap<string, string>;
}

/**
 * Copies a log into another store in the forms of the present version: each event with its id, at its revision, in the
 * order of the whole log; what was plain is sealed. The target begins with `LogRewritten`. Events that it has already are
 * compared, and the rest is appended. Then both logs are read once more, and compared by what they say.
 * @param vault has the keys of the source, and seals for the target
 * @throws NoCopy, UnreadableEvent, and whatever the stores throw
 */
export async function copySealed(
  source: Source,
  target: EventStore,
  vault: Vault,
  onProgress: (events: number) => void = () => {},
): Promise<SealedCopy> {
  await mustBeOriginal(source);
  const coupons = await couponsIn(source);
  const seals = new PresentSeals(vault);
  const rest = restOf(source, target, { vault, seals, forms: new NewestForms(vault, coupons) });
  const copied = await appendAll(rest, target, onProgress);
  const forms = new NewestForms(vault, coupons);
  const compared = await compareAll(source, target, vault, forms);
  return { copied, compared, counts: seals.counts, renamed: forms.renamed };
}

/**
 * Refuses what `copySealed` cannot copy, before anything is written. Every event is read, and made as the copy would have it.
 * @throws NoCopy, UnreadableEvent, and whatever the source throws
 */
export async function mustBeRewritable(source: Source, vault: Vault): Promise<void> {
  await mustBeOriginal(source);
  const forms = new NewestForms(vault, await couponsIn(source));
  const seals = new PresentSeals(sealingNothing(vault));
  for await (const event of source.readAll()) encodedAgain(await seals.on(forms.of(event)));
}

/** A vault whose boxes are empty: it makes no keys. */
const sealingNothing = (vault: Vault): Pick<Vault, 'open' | 'seal'> => ({
  open: (box) => vault.open(box),
  seal: async (_, purpose) => ({ keyId: 'none', box: '', purpose }),
});

/** @throws NoCopy */
async function mustBeOriginal(source: Source): Promise<void> {
  await refuseProven(source);
  await refuseRewritten(source);
}

/** Facts that commit the log to its present bytes. None is recorded yet: whoever adds one uses this name (ADR 27). */
const PROOFS = ['CheckpointSigned'];

/** After the first proof, a rewritten log would be another one to everybody who holds the proof. */
async function refuseProven(source: Source): Promise<void> {
  for await (const event of source.readAll({ filter: { types: PROOFS }, maxCount: 1 }))
    throw new NoCopy(`${nameIn(event)} proves the log as it is: it cannot be rewritten any more`);
}

async function refuseRewritten(source: Source): Promise<void> {
  for await (const event of source.readAll({ filter: { streamPrefixes: [originStream] }, maxCount: 1 }))
    throw new NoCopy(`${nameIn(event)}: this log was rewritten already`);
}

async function couponsIn(source: Source): Promise<ReadonlySet<string>> {
  const streams = new Set<string>();
  const types = ['CouponDefined', 'AlternativeCouponGiven'];
  for await (const { stream } of source.readAll({ filter: { types } })) streams.add(stream);
  return streams;
}

interface Rewriting {
  readonly vault: Vault;
  readonly forms: NewestForms;
  readonly seals: PresentSeals;
}

/** The events that the target lacks, as they are to be appended. Those that it has must say the same. */
async function* restOf(
  source: Source,
  target: Source,
  { vault, forms, seals }: Rewriting,
): AsyncGenerator<RecordedEvent> {
  const copies = copiesIn(target);
  let next = await copies.next();
  for await (const event of source.readAll()) {
    const form = forms.of(event);
    if (next.done) {
      yield { ...event, ...encodedAgain(await seals.on(form)) };
      continue;
    }
    await mustSayTheSame(form.fact, next.value, vault);
    next = await copies.next();
  }
}

/** @returns how many events are in both */
async function compareAll(source: Source, target: Source, vault: Vault, forms: NewestForms): Promise<number> {
  const copies = copiesIn(target);
  let compared = 0;
  for await (const event of source.readAll()) {
    const { value: copy } = await copies.next();
    const { fact } = forms.of(event);
    if (!copy) throw new NoCopy(`${nameIn(event)} is missing in the copy`);
    await mustSayTheSame(fact, copy, vault);
    compared += 1;
  }
  const { value: more } = await copies.next();
  if (more) throw new NoCopy(`the target holds more than the source: ${nameIn(more)} is not in it`);
  return compared;
}

async function* copiesIn(target: Source): AsyncGenerator<RecordedEvent, undefined> {
  for await (const event of target.readAll()) if (event.stream !== originStream) yield event;
}

/** @throws NoCopy */
async function mustSayTheSame(fact: Fact, stored: RecordedEvent, vault: Vault): Promise<void> {
  const copy = decode(stored);
  const names = ['stream', 'revision', 'eventId', 'type'] as const;
  const isSame =
    names.every((name) => fact[name] === copy[name]) &&
    saysTheSame(await opened(fact.data, vault), await opened(copy.data, vault)) &&
    saysTheSame(await opened(fact.cause, vault), await opened(copy.cause, vault));
  if (!isSame)
    throw new NoCopy(`${nameIn(stored)} in the copy does not say the same as ${nameIn(fact)} in the original`);
}

const ERASED = Symbol('erased');

/** A box that cannot be opened stays as it is. */
const opened = (data: unknown, vault: Vault): Promise<unknown> =>
  changeBoxes(data, async (box: Sealed) => {
    try {
      const value = await vault.open(box);
      return value === undefined ? ERASED : { value, secret: 'secret' in box };
    } catch (error) {
      if (error instanceof CannotOpenBox) return box;
      throw error;
    }
  });

/** What was plain of an erased person is not in the copy. */
function saysTheSame(original: unknown, copy: unknown): boolean {
  if (copy === ERASED || original === copy) return true;
  if (typeof original !== 'object' || typeof copy !== 'object' || !original || !copy) return false;
  const names = Object.keys(original);
  return (
    names.length === Object.keys(copy).length &&
    names.every((name) => saysTheSame(original[name as never], copy[name as never]))
  );
}
