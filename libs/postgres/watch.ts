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

/** Whether a server answers. */
export interface ServerState {
  readonly ok: boolean;
  /** Why it is away. */
  readonly error?: string;
}

/**
 * Asks a PostgreSQL again and again whether it answers, on a connection of its own. While it is away, its connections are
 * cut, because on a frozen server their queries would hang, and new ones fail at once. It says when the server went away and
 * when it came back.
 */
export class Watch {
  readonly #url: string;
  readonly #server: string;
  readonly #guarded = new Set<pg.Client>();
  readonly #outages = new OutageCount();
  readonly #over = new AbortController();
  #client: pg.Client | undefined;
  #askedAt: number | undefined;
  #away: { readonly since: number; readonly reason: string } | undefined;
  #lookAtOnce = new AbortController();

  constructor(url: string) {
    this.#url = url;
    this.#server = serverOf(url);
    void this.#run();
  }

  /** Undefined while the server answers. */
  get failure(): PostgresAway | undefined {
    return this.#away && new PostgresAway(this.#server, this.#away.reason);
  }

  get state(): ServerState {
    if (this.#away) return { ok: false, error: this.#away.reason };
    const isLate = this.#askedAt !== undefined && performance.now() - this.#askedAt > SHOWN_AFTER_MILLISECONDS;
    return isLate ? { ok: false, error: 'no answer' } : { ok: true };
  }

  get outages(): Outages {
    return this.#outages.upTo(performance.now());
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
      const pause = this.#away ? MILLISECONDS_BETWEEN_LOOKS_WHILE_AWAY : MILLISECONDS_BETWEEN_LOOKS;
      const soon = this.#away ? signal : AbortSignal.any([signal, this.#lookAtOnce.signal]);
      await wait(pause, undefined, { signal: soon, ref: false }).catch(() => {});
    }
    this.#drop();
  }

  /** One connection may break by itself: the server is away when a new one fails too. @returns why it is away */
  async #look(): Promise<unknown> {
    this.#askedAt = performance.now();
    const hadConnection = this.#client !== undefined;
    let failure = await this.#ask();
    if (failure !== undefined && hadConnection && !this.#over.signal.aborted) failure = await this.#ask();
    this.#askedAt = undefined;
    return failure;
  }

  async #ask(): Promise<unknown> {
    try {
      this.#client ??= await this.#connect();
      await inTime(this.#client.query('SELECT 1'));
      return undefined;
    } catch (error) {
      this.#drop();
      return error;
    }
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

  #note(failure: unknown): void {
    if (this.#over.signal.aborted) return;
    if (failure === undefined) this.#noteAnswer(performance.now());
    else this.#noteOutage(reasonOf(failure), performance.now());
  }

  #noteAnswer(now: number): void {
    if (!this.#away) return;
    this.#outages.ended(now);
    this.#say(`answers again after ${Math.round((now - this.#away.since) / 1000)} s`);
    this.#away = undefined;
  }

  #noteOutage(reason: string, now: number): void {
    if (!this.#away) {
      this.#outages.began(now);
      this.#say(`cannot be reached (${reason}): what needs it waits`);
    }
    this.#away = { since: this.#away?.since ?? now, reason };
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
