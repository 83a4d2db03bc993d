import { startEventStoreDb, type TestEventStoreDb } from '#test/event-stores/event-stores';
import { freshDatabase } from '#test/postgres/database';
import { Program } from './program.ts';

type Environment = Readonly<Record<string, string>>;

/** What a program needs whose events and read models are on servers. Nothing listens where its mails go. */
export const onServers = (eventStoreDb: string, databaseUrl: string): Environment => ({
  LEADGER_EVENTS: eventStoreDb,
  DATABASE_URL: databaseUrl,
  LEADGER_MASTER_KEY: '07'.repeat(32),
  SMTP_URL: 'smtp://127.0.0.1:9',
});

/** An EventStoreDB and a PostgreSQL, and the programs of one store on them. */
export class ProgramsOnServers {
  readonly events: TestEventStoreDb;
  readonly database: Awaited<ReturnType<typeof freshDatabase>>;
  readonly #environment: Environment;
  readonly #programs: Program[] = [];

  private constructor(
    events: TestEventStoreDb,
    database: Awaited<ReturnType<typeof freshDatabase>>,
    environment: Environment,
  ) {
    this.events = events;
    this.database = database;
    this.#environment = { ...onServers(events.connectionString, database.url), ...environment };
  }

  static async open(environment: Environment = {}): Promise<ProgramsOnServers> {
    const [events, database] = await Promise.all([startEventStoreDb(), freshDatabase()]);
    return new ProgramsOnServers(events, database, environment);
  }

  start(name: 'api' | 'worker'): Program {
    const program = new Program(name, ['--port', '0'], this.#environment);
    this.#programs.push(program);
    return program;
  }

  async close(): Promise<void> {
    for (const program of this.#programs) await program.kill();
    await this.events.close();
    await this.database.drop();
  }
}

/** Where a program listens, once it does. */
export async function addressOf(program: Program): Promise<string> {
  const [, url] = await program.says(/ready: (\S+)/);
  return new URL(url as string).origin;
}

// biome-ignore lint/suspicious/noExplicitAny: a client looks into answers without our types
export type Answer = any;

/** Asks the program at an address. @throws what it answers, when that is an error */
export const clientOf =
  (url: string) =>
  async (path: string, body?: unknown): Promise<Answer> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url + path, body ? { method: 'POST', headers, body: JSON.stringify(body) } : {});
    const answer = await response.json();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  };
