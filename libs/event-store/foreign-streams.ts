import type { ForeignStream, ForeignStreams, RecordedEvent } from './port.ts';

/** How many are kept: enough to see what the other program does. */
const MOST_KEPT = 100;

/** Notes what is read of the log and was written by others into streams that are named like ours. */
export class NotedForeignStreams implements ForeignStreams {
  readonly #now: () => string;
  readonly #found = new Map<string, ForeignStream>();
  readonly #listeners = new Set<() => void>();

  /** @param now the time of the machine (ISO 8601 UTC) */
  constructor(now: () => string) {
    this.#now = now;
  }

  all(): readonly ForeignStream[] {
    return [...this.#found.values()];
  }

  of(stream: string): ForeignStream | undefined {
    return this.#found.get(stream);
  }

  note(found: ForeignStream): void {
    if (this.#found.has(found.stream) || this.#found.size >= MOST_KEPT) return;
    this.#found.set(found.stream, found);
    console.warn(
      `leadger: another program writes to the stream ${found.stream}, which is named like one of the ledger`,
    );
    for (const listener of this.#listeners) listener();
  }

  noteEvent({ stream, revision, position, id }: RecordedEvent): void {
    this.note({ stream, revision, position, id, noticedAt: this.#now() });
  }

  forget(stream: string): void {
    this.#found.delete(stream);
  }

  onFound(found: () => void): () => void {
    this.#listeners.add(found);
    return () => this.#listeners.delete(found);
  }
}
