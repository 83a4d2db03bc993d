/** Together, of all streams: about 16 MiB. One stream alone may have more. */
const IDS_KEPT = 2 * 1024 * 1024;
const STREAMS_KEPT = 20_000;

/**
 * Which ids the streams have that are written to. An index would make each append a fifth slower; here an append costs a look
 * into memory, and the first one to a stream that exists a read of its ids.
 */
export class KnownIds {
  readonly #idsIn: (streamId: number) => Iterable<string>;
  /** The stream that was used last comes last. */
  readonly #streams = new Map<number, Marks>();
  #count = 0;

  /** @param idsIn reads the ids of all events of a stream */
  constructor(idsIn: (streamId: number) => Iterable<string>) {
    this.#idsIn = idsIn;
  }

  /** False: the stream does not have the id. True: look whether it is so, since only a part of each id is kept. */
  mayHave(streamId: number, id: string): boolean {
    return this.#marksOf(streamId).has(markOf(id));
  }

  /** Must be called for each event that is written, so that a stream that is known stays known. */
  wrote(streamId: number, id: string): void {
    if (this.#streams.get(streamId)?.add(markOf(id))) this.#count += 1;
  }

  /** After what was written was taken back. */
  forget(): void {
    this.#streams.clear();
    this.#count = 0;
  }

  #marksOf(streamId: number): Marks {
    const known = this.#streams.get(streamId);
    if (known) this.#streams.delete(streamId);
    const marks = known ?? this.#read(streamId);
    this.#streams.set(streamId, marks);
    return marks;
  }

  #read(streamId: number): Marks {
    const marks = new Marks();
    for (const id of this.#idsIn(streamId)) marks.add(markOf(id));
    this.#count += marks.size;
    for (const [oldest, { size }] of this.#streams) {
      if (this.#count <= IDS_KEPT && this.#streams.size < STREAMS_KEPT) break;
      this.#streams.delete(oldest);
      this.#count -= size;
    }
    return marks;
  }
}

/** 32 bits of a UUID; never 0. */
const markOf = (id: string): number => Number.parseInt(id.slice(0, 8), 16) >>> 0 || 1;

/** A set of numbers from 1 to 2^32 − 1, outside the heap: the thread of the writer has a small one. */
class Marks {
  size = 0;
  #places = new Uint32Array(16);

  has(mark: number): boolean {
    return this.#places[this.#placeOf(mark)] === mark;
  }

  /** @returns whether it is new */
  add(mark: number): boolean {
    if (this.has(mark)) return false;
    this.size += 1;
    if (2 * this.size > this.#places.length) this.#grow();
    this.#places[this.#placeOf(mark)] = mark;
    return true;
  }

  /** Where it is, or would be. Ids are hashes: their last bits tell them apart. */
  #placeOf(mark: number): number {
    const last = this.#places.length - 1;
    let place = mark & last;
    while (this.#places[place] !== 0 && this.#places[place] !== mark) place = (place + 1) & last;
    return place;
  }

  #grow(): void {
    const former = this.#places;
    this.#places = new Uint32Array(2 * former.length);
    for (const mark of former) if (mark !== 0) this.#places[this.#placeOf(mark)] = mark;
  }
}
