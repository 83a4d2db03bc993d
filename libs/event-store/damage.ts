import { EventStoreError, type ForeignStream, STREAM_ACCESS_REFUSED, type StreamCut } from './port.ts';

/** A stream of ours that is not whole, or that will not be. */
export interface Damage {
  readonly stream: string;
  /**
   * `incomplete`: events are missing, and its metadata hides none (any more). `foreign`: another program wrote to it.
   * `no-access`: its access list does not let this account read it, or write to it.
   */
  readonly how: Exclude<StreamCut['how'], 'uncut'> | 'incomplete' | 'foreign' | 'no-access';
  /**
   * The first event that can still be read; undefined: none can. 0: it is whole until its metadata hides something; without
   * access: it can be read. Of a foreign one: the first event of the other program that was noticed.
   */
  readonly firstRevision: number | undefined;
  /** When this program noticed (ISO 8601 UTC). */
  readonly noticedAt: string;
}

/** What a program knows of the streams that others cut or deleted. */
export interface Damages {
  /** Undefined for a stream that is whole, as far as known. */
  of(stream: string): Damage | undefined;
  /** Also streams that are whole still; without those to which others write. */
  all(): readonly Damage[];
  /** `blind`: the account may not see what others do to streams. `away`: the store cannot be reached. */
  readonly sight: 'searching' | 'watching' | 'blind' | 'away';
  /** Resolves when the log was searched once, or could not be. */
  searched(): Promise<void>;
  /** @param changed called when a stream is damaged, or whole again @returns ends that */
  onChange(changed: () => void): () => void;
}

/** A stream of ours is not whole: nothing is decided on a part of it, and no state is made from a part. */
export class StreamDamaged extends EventStoreError {
  readonly damage: Damage;
  constructor(damage: Damage) {
    const isClosed = damage.how === 'no-access';
    const what = isClosed ? 'cannot be used' : 'is damaged';
    super(
      isClosed ? STREAM_ACCESS_REFUSED : 'stream-damaged',
      `the stream ${damage.stream} ${what}: ${damageInWords(damage)}`,
    );
    this.damage = damage;
  }
}

export const foreignDamage = ({ stream, revision, noticedAt }: ForeignStream): Damage => ({
  stream,
  how: 'foreign',
  firstRevision: revision,
  noticedAt,
});

/** Whether nothing is decided on a stream any more, and no state is made of it. */
export const isRefused = ({ how, firstRevision }: Damage): boolean =>
  how === 'foreign' || how === 'no-access' || firstRevision !== 0;

/** What happened to a stream, for people. */
export function damageInWords({ how, firstRevision }: Damage): string {
  if (how === 'foreign') return 'another program writes to it, and it is named like a stream of the ledger';
  if (how === 'no-access')
    return `its access list does not let this account ${firstRevision === 0 ? 'write to' : 'read'} it`;
  if (how === 'tombstoned') return 'it was deleted for ever';
  if (firstRevision === undefined) return how === 'deleted' ? 'it was deleted' : 'none of its events can be read';
  if (firstRevision === 0) return 'its metadata will hide its older events';
  return `its events before revision ${firstRevision} ${how === 'cut' ? 'are hidden by its metadata' : 'cannot be read'}`;
}
