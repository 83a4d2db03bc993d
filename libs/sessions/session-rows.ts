import type { Session, SignIn } from './session-store.ts';

/** Column → field. Both databases have the same rows. */
const sessionColumns = {
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

const signInColumns = {
  session_id: 'sessionId',
  actor: 'actor',
  device: 'device',
  browser: 'browser',
  at: 'at',
} as const satisfies Readonly<Record<string, keyof SignIn>>;

/** How the values of a record are the columns of a row. */
function tableOf<Field extends string>(columns: Readonly<Record<string, Field>>) {
  const names = Object.keys(columns);
  type AsRecord = { readonly [Name in Field]: string };
  return {
    names,
    /** The values of a row, in the order of its columns. */
    valuesOf: (record: AsRecord): string[] => names.map((name) => record[columns[name] as Field]),
    recordIn: <Read extends AsRecord>(row: Row): Read =>
      Object.fromEntries(names.map((name) => [columns[name], row[name]])) as unknown as Read,
    /** Instants are texts of one form, so that they compare as texts. They are compared by bytes in both databases. */
    definitions: (type: string): string =>
      names.map((name) => `${name} ${type} ${name === 'session_id' ? 'PRIMARY KEY' : 'NOT NULL'}`).join(', '),
  };
}

export type Row = Readonly<Record<string, string>>;

export const sessionTable = tableOf(sessionColumns);
export const signInTable = tableOf(signInColumns);

export const sessionIn = (row: Row): Session => sessionTable.recordIn<Session>(row);
export const signInIn = (row: Row): SignIn => signInTable.recordIn<SignIn>(row);

export const signInOf = ({ sessionId, actor, device, startedAt: at }: Session, browser: string): SignIn => ({
  ...{ sessionId, actor, device, browser, at },
});
