import { z } from 'zod';
import type { Damages } from '#event-store/damage';
import type { AnyTable } from '../engine/model.ts';

/** Marks a row whose streams are not whole: others cut or deleted one of them in the event store. */
export const damaged = z
  .boolean()
  .describe(
    'True when others cut or deleted its events in the event store: what it says is of before, and may be true no more. See /api/damaged-streams.',
  );

export type Marked<Row> = Row & { readonly damaged: boolean };

/** Says of rows whether one of the streams that they are made of is damaged, as far as this program knows. */
export function damageMarks(damages: Pick<Damages, 'of'> | undefined) {
  return <Row extends object>({ key, family, madeOf }: Partial<AnyTable>, row: Row): Marked<Row> => {
    const streams = Object.entries(madeOf ?? (family ? { [family]: key } : {}));
    const isDamaged = ([name, column]: [string, string]) =>
      damages?.of(`${name}-${(row as Record<string, string>)[column]}`) !== undefined;
    return { ...row, damaged: streams.some(isDamaged) };
  };
}
