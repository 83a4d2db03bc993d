import { z } from 'zod';
import { type OrderRow, orderExample } from '../models/orders.ts';
import { column } from './columns.ts';
import { modelOfStreams, table } from './model.ts';

const noteRow = z.object({
  noteId: column.id().describe('Id.'),
  at: column.instant().nullable().describe('When.'),
  priceCents: column.cents().describe('Price.'),
  words: column.json(z.array(z.string())).describe('Words.'),
  revision: column.revision(),
});

it('the columns of a table come from the schema of its rows', () => {
  const notes = table(noteRow, { name: 'notes', key: 'noteId', family: 'order', belongsTo: {}, indexes: [] });
  expect(notes.columns).toEqual({
    noteId: 'text',
    at: 'timestamptz',
    priceCents: 'bigint',
    words: 'jsonb',
    revision: 'integer',
  });
});

it('a field without a column type is refused', () => {
  const row = z.object({ noteId: column.id(), at: z.string() });
  expect(() => table(row, { name: 'notes', key: 'noteId', belongsTo: {}, indexes: [] })).toThrow(
    'the field at has no column type',
  );
});

it('the compiler refuses a row with a field too many or too few, and a revision column without a stream family', () => {
  // @ts-expect-error a row with a revision names the family of its streams
  const notes = table(noteRow, { name: 'notes', key: 'noteId', belongsTo: {}, indexes: [] });
  const { revision: _, ...others } = orderExample;
  // @ts-expect-error the revision is missing
  const tooFew: OrderRow = others;
  // @ts-expect-error there is no such field
  const tooMany: OrderRow = { ...orderExample, colour: 'red' };
  const model = modelOfStreams({
    name: 'notes',
    table: notes,
    never: 'a note',
    // @ts-expect-error there is no such field
    on: { OrderPaused: (note) => note.set({ colour: 'red' }) },
  });
  expect([notes, tooFew, tooMany, model]).toHaveLength(4);
});
