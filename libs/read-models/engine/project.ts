import { decode, type Fact } from '#domain/codec';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { storableTexts } from '#domain/kernel/text';
import type { RecordedEvent } from '#event-store/port';
import { reasonWithoutValues } from '../errors.ts';
import type { Copy, ParkedStream } from './copies.ts';
import { type AnyModel, type RowKey, rowsAbout, type Tx } from './model.ts';
import { Rows } from './rows.ts';

/** What the events in the log are not applied to. */
export interface LeftOut {
  /** Streams that are parked. */
  readonly parked: { has(stream: string): boolean };
  /** Streams whose beginning the log has no more → their first event that is left. Rows made of the rest would be made up. */
  readonly beginningsLost: ReadonlyMap<string, number>;
}

/**
 * Changes the rows of a copy by events in the order of the log. If a stream is parked, or one of its events cannot be
 * taken, that event and all later ones of the stream are left out.
 * @returns the streams to park from now on
 */
export async function project(
  tx: Tx,
  { model, schema }: Copy,
  events: readonly RecordedEvent[],
  leftOut: LeftOut,
): Promise<readonly ParkedStream[]> {
  if (events.length === 0) return [];
  const parking = new Parking(leftOut);
  const facts: Fact[] = [];
  for (const event of events) parking.unlessParked(event, () => void facts.push(storable(event)));
  const rows = new Rows();
  await rows.load(
    tx,
    schema,
    facts.flatMap((fact) => keysTouched(model, fact)),
  );
  for (const fact of facts) parking.unlessParked(fact, () => take(rows, model, fact));
  await rows.save(tx, schema);
  return parking.toPark;
}

/** JSON writes what a row cannot store as an escape, and most events have none at all. */
const ESCAPE = Buffer.from('\\u');

/**
 * The fact of an event, as rows can store it. An event that the log took must not stop the rows of its stream, whatever text an
 * older version let into it.
 */
function storable(event: RecordedEvent): Fact {
  const fact = decode(event);
  const { buffer, byteOffset, byteLength } = event.data;
  const mayHaveOne = event.stream.includes('\0') || Buffer.from(buffer, byteOffset, byteLength).includes(ESCAPE);
  return mayHaveOne ? storableTexts(fact) : fact;
}

const keysTouched = (model: AnyModel, fact: Fact): readonly RowKey[] => [
  ...(model.eventTypes.includes(fact.type) ? model.keysOf(fact) : []),
  ...rowsAbout(model, fact),
];

/** Rows about the stream get its revision, whether or not the model knows what to do with the event. */
export function take(rows: Rows, model: AnyModel, fact: Fact): void {
  if (model.eventTypes.includes(fact.type)) model.evolve(rows, fact);
  for (const [table, key] of rowsAbout(model, fact)) {
    const row = rows.get(table, key);
    if (row && row.revision !== fact.revision) rows.put(table, { ...row, revision: fact.revision });
  }
}

class BeginningLost extends LeadgerError {
  constructor(first: number) {
    super('beginning-lost', `the event store has lost the events of its stream before revision ${first}`);
  }
}

type EventPlace = { readonly stream: string; readonly revision: number };

class Parking {
  readonly #leftOut: LeftOut;
  readonly #toPark = new Map<string, ParkedStream>();

  constructor(leftOut: LeftOut) {
    this.#leftOut = leftOut;
  }

  get toPark(): readonly ParkedStream[] {
    return [...this.#toPark.values()];
  }

  /** An event that cannot be decoded is found before the events in front of it are taken: those are not left out. */
  unlessParked(event: EventPlace, take: () => void): void {
    const { parked, beginningsLost } = this.#leftOut;
    if (parked.has(event.stream) || event.revision >= (this.#toPark.get(event.stream)?.revision ?? Infinity)) return;
    try {
      const first = beginningsLost.get(event.stream);
      if (first !== undefined) throw new BeginningLost(first);
      take();
    } catch (error) {
      this.#toPark.set(event.stream, parkedAt(event, error));
    }
  }
}

export const parkedAt = ({ stream, revision }: EventPlace, error: unknown): ParkedStream => ({
  stream,
  revision,
  reason: reasonWithoutValues(error),
});
