import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { parseInstant } from '#domain/kernel/instants';
import { snake } from '../engine/model.ts';
import { BadCursor } from '../errors.ts';

export const LARGEST_PAGE = 200;

export interface PageRequest {
  /** 1 to {@link LARGEST_PAGE}. */
  readonly limit: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
  /** The column that the list is sorted by, with `-` in front for the greatest first. Absent: the list's own order. */
  readonly sort?: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** The order of a list: an instant, and an id for rows with the same instant. */
export interface SortOrder<Row extends object> {
  readonly by: keyof Row & string;
  readonly id: keyof Row & string;
  readonly newestFirst: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: which tables there are is known by name only
export type Select<Row extends object> = SelectQueryBuilder<any, string, Row>;

const sortOf = ({ by, newestFirst }: SortOrder<never>): string => `${newestFirst ? '-' : ''}${by}`;

/** @throws BadCursor */
export async function pageOf<Row extends object>(
  rows: Select<Row>,
  order: SortOrder<Row>,
  { limit, cursor, sort = sortOf(order as SortOrder<never>) }: PageRequest,
): Promise<Page<Row>> {
  const direction = sort.startsWith('-') ? 'desc' : 'asc';
  const sorted = rows
    .orderBy(order.by, direction)
    .orderBy(order.id, direction)
    .limit(limit + 1);
  const wanted = cursor === undefined ? sorted : sorted.where(afterCursor(order, sort, cursor));
  const found = (await wanted.execute()) as unknown as Row[];
  if (found.length <= limit) return { items: found };
  const items = found.slice(0, limit);
  const last = items.at(-1) as Row;
  return { items, nextCursor: cursorAt(sort, last[order.by], last[order.id]) };
}

/** A cursor is valid for the order in which it was given out. */
export const cursorAt = (sort: string, by: unknown, id: unknown): string =>
  Buffer.from(JSON.stringify([sort, by, id])).toString('base64url');

function afterCursor({ by, id }: { by: string; id: string }, sort: string, cursor: string): RawBuilder<boolean> {
  const [at, key] = parseCursor(cursor, sort);
  const place = sql`(${sql.ref(snake(by))}, ${sql.ref(snake(id))})`;
  return sql<boolean>`${place} ${sql.raw(sort.startsWith('-') ? '<' : '>')} (${at}::timestamptz, ${key})`;
}

function parseCursor(cursor: string, sort: string): [at: string, key: string] {
  try {
    const [sorted, at, key] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (sorted === sort && isOurs(at, key)) return [at, key];
  } catch {
    // Not JSON: not ours.
  }
  throw new BadCursor();
}

/** JavaScript takes more for an instant than the database does, which has no text with NUL either. */
const isOurs = (at: unknown, key: unknown): boolean =>
  typeof at === 'string' && parseInstant(at) === at && typeof key === 'string' && !key.includes('\0');
