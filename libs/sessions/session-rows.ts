import type { Session } from './session-store.ts';

/** Column → field. Both databases have the same rows. */
export const columns = {
  session_id: 'sessionId',
  token_hash: 'tokenHash',
  actor: 'actor',
  credential: 'credential',
  started_at: 'startedAt',
  seen_at: 'seenAt',
  idle_until: 'idleUntil',
  ends_at: 'endsAt',
  factor: 'factor',
  proved_at: 'provedAt',
  device: 'device',
} as const satisfies Readonly<Record<string, keyof Session>>;

export type SessionRow = Readonly<Record<keyof typeof columns, string>>;

export const columnNames = Object.keys(columns) as readonly (keyof typeof columns)[];

/** The values of a row, in the order of its columns. */
export const valuesOf = (session: Session): string[] => columnNames.map((column) => session[columns[column]]);

export const sessionIn = (row: SessionRow): Session =>
  Object.fromEntries(columnNames.map((column) => [columns[column], row[column]])) as unknown as Session;

/** Instants are texts of one form, so that they compare as texts. They are compared by bytes in both databases. */
export const columnDefinitions = (type: string): string =>
  columnNames.map((name) => `${name} ${type} ${name === 'session_id' ? 'PRIMARY KEY' : 'NOT NULL'}`).join(', ');
