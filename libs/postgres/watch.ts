import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import { OutageCount, type Outages } from '#domain/kernel/outages';
import { PostgresAway, reasonOf } from './failures.ts';
import { connected, serverOf } from './reach.ts';

const MILLISECONDS_BETWEEN_LOOKS = 1000;
const MILLISECONDS_BETWEEN_LOOKS_WHILE_AWAY = 500;
const ANSWER_WITHIN_MILLISECONDS = 4000;
/** After this time, what is shown no longer waits for an answer. */
const SHOWN_AFTER_MILLISECONDS = 1000;

/** Whether a server answers, and can be used. */
export interface ServerState {
  readonly ok: boolean;
  /** Why not. */
  readonly error?: string;
}

/** What can be wrong with a server, and what is said when it begins and when it ends. */
const TROUBLES = {
  away: ['cannot be reached', 'answers again'],
  /** Another database has its name: it was dropped, and is being restored. */
  emptied: ['has lost tables', 'has its tables again'],
  /** A standby after a fail-over; or whoever runs it forbids writing, as on a full disk. Reads go on. */
  'read-only': ['can only be read', 'can be written again'],
} as const;

interface Trouble {
  readonly kind: keyof typeof TROUBLES;
  readonly reason: string;
}

/** `$1`: the tables without which it cannot be used. */
const QUESTION = `
  SELECT pg_is_in_recovery() AS "isStandby", current_setting('transaction_read_only')::boolean AS "isReadOnly",
    ARRAY(SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL) AS tables`;

interface Answer {
  readonly isStandby: boolean;
  readonly isReadOnly: boolean;
  readonly tables: readonly string[];
}

/**
 * Asks a PostgreSQL again and again whether it answers and can be written, on a connection of its own. While it is away, its
 * connections are cut, because on a frozen server their queries would hang, and new ones fail at once. It says when the server
 * went away and when it came back.
 */
export class Watch {
  readonly #url: string;
  readonly #server: string;
  readonly #guarded = new Set<pg.Client>();
  readonly #outages = new OutageCount();
  readonly #over = new AbortController();
  #client: pg.Client | undefined;
  #askedAt: number | undefined;
  #trouble: (Trouble & { readonly since: number }) | undefined;
  readonly #tables = new Set<string>();
  /** Those that were there. Before, a program that starts has not made them yet. */
  readonly #found = new Set<string>();
  #lookAtOnce = new AbortController();

  constructor(url: string) {
    this.#url = url;
    this.#server = serverOf(url);
    void this.#run();
  }

  /** Undefined while queries make sense. */
  get failure(): PostgresAway | undefined {
    if (!this.#trouble || this.#trouble.kind === 'read-only') return undefined;
    const { kind, reason } = this.#trouble;
    return new PostgresAway(this.#server, reason, TROUBLES[kind][0]);
  }

  get state(): ServerState {
    if (this.#trouble) return { ok: false, error: this.#trouble.reason };
    const isLate = this.#askedAt !== undefined && performance.now() - this.#askedAt > SHOWN_AFTER_MILLISECONDS;
    return isLate ? { ok: false, error: 'no answer' } : { ok: true };
  }

  get outages(): Outages {
    return this.#outages.upTo(performance.now());
  }

  lookFor(tables: readonly string[]): void {
    for (const table of tables) this.#tables.add(table);
  }

  /** Cuts this connection when the server goes away. Without a listener its error would end the program. */
  guard(client: pg.Client): void {
    client.on('error', () => this.#lookAtOnce.abort());
    this.#guarded.add(client);
    client.once('end', () => this.#guarded.delete(client));
  }

  close(): void {
    this.#over.abort();
    this.#drop();
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      this.#lookAtOnce = new AbortController();
      this.#note(await this.#look());
      const pause = this.#trouble ? MILLISECONDS_BETWEEN_LOOKS_WHILE_AWAY : MILLISECONDS_BETWEEN_LOOKS;
      const soon = this.#trouble ? signal : AbortSignal.any([signal, this.#lookAtOnce.signal]);
      await wait(pause, undefined, { signal: soon, ref: false }).catch(() => {});
    }
    this.#drop();
  }

  /** One connection may break by itself: the server is away when a new one fails too. */
  async #look(): Promise<Trouble | undefined> {
    this.#askedAt = performance.now();
    const hadConnection = this.#client !== undefined;
    let trouble = await this.#ask();
    if (trouble && hadConnection && !this.#over.signal.aborted) trouble = await this.#ask();
    this.#askedAt = undefined;
    return trouble;
  }

  async #ask(): Promise<Trouble | undefined> {
    const trouble = await this.#troubleNow();
    // The next connection may lead to another server, or begin with other settings.
    if (trouble) this.#drop();
    return trouble;
  }

  async #troubleNow(): Promise<Trouble | undefined> {
    try {
      this.#client ??= await this.#connect();
      const { rows } = await inTime(this.#client.query<Answer>(QUESTION, [[...this.#tables]]));
      return this.#troubleIn(rows[0] as Answer);
    } catch (error) {
      return { kind: 'away', reason: reasonOf(error) };
    }
  }

  #troubleIn({ isStandby, isReadOnly, tables }: Answer): Trouble | undefined {
    const lost = [...this.#found].filter((table) => !tables.includes(table));
    if (lost.length > 0) return { kind: 'emptied', reason: `there is no ${lost.join(', ')} any more` };
    for (const table of tables) this.#found.add(table);
    if (isStandby) return { kind: 'read-only', reason: 'it is a standby, which can only be read' };
    return isReadOnly ? { kind: 'read-only', reason: 'writing is switched off there' } : undefined;
  }

  async #connect(): Promise<pg.Client> {
    const config = { connectionString: this.#url, application_name: 'leadger watch' };
    const client = await connected({ ...config, connectionTimeoutMillis: ANSWER_WITHIN_MILLISECONDS });
    // It asks for as long as the program runs for another reason.
    streamOf(client).unref();
    client.once('end', () => this.#lookAtOnce.abort());
    return client;
  }

  #drop(): void {
    if (this.#client) cut(this.#client);
    this.#client = undefined;
  }

  #note(trouble: Trouble | undefined): void {
    if (this.#over.signal.aborted) return;
    const now = performance.now();
    if (trouble) this.#noteTrouble(trouble, now);
    else if (this.#trouble) this.#noteEnd(this.#trouble, now);
  }

  #noteEnd({ kind, since }: { kind: Trouble['kind']; since: number }, now: number): void {
    this.#outages.ended(now);
    this.#say(`${TROUBLES[kind][1]} after ${Math.round((now - since) / 1000)} s`);
    this.#trouble = undefined;
    // Those of a server that can only be read stay what they are.
    if (kind === 'read-only') this.#cutAll();
  }

  #noteTrouble({ kind, reason }: Trouble, now: number): void {
    if (!this.#trouble) this.#outages.began(now);
    if (this.#trouble?.kind !== kind) this.#say(`${TROUBLES[kind][0]} (${reason}): what needs it waits`);
    this.#trouble = { since: this.#trouble?.since ?? now, kind, reason };
    if (kind !== 'read-only') this.#cutAll();
  }

  #cutAll(): void {
    for (const client of this.#guarded) cut(client);
  }

  #say(what: string): void {
    console.warn(`leadger: PostgreSQL at ${this.#server} ${what}`);
  }
}

/** What arrived while this program was busy is read before the time counts as over. */
function inTime<Result>(answer: Promise<Result>): Promise<Result> {
  const late = wait(ANSWER_WITHIN_MILLISECONDS, undefined, { ref: false }).then(async () => {
    await nextTurn();
    throw new Error('timeout expired');
  });
  return Promise.race([answer, late]);
}

/** `end` would ask the server to close the connection, and wait for it. */
const cut = (client: pg.Client): void => void streamOf(client).destroy();

const streamOf = (client: pg.Client): Socket =>
  (client as unknown as { connection: { stream: Socket } }).connection.stream;
