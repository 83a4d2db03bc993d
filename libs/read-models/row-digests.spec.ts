import { creatorsOf, digestOfRows, digestsOfRows } from '#test/row-digests';
import type { AnyModel } from './engine/model.ts';
import { versioned } from './engine/version.ts';
import { orderTable, orders as typedOrders } from './models/orders.ts';
import { models } from './models.ts';
import { rowDigests } from './row-digests.ts';

it('row-digests.ts is up to date: else run `npm run generate`, and the models with another digest are rebuilt', () => {
  expect(rowDigests).toEqual(digestsOfRows());
});

it('the sample events make rows in every table of every model', () => {
  for (const model of models) expect([model.name, creatorsOf(model).length > 0]).toEqual([model.name, true]);
});

describe('the version of a read model', () => {
  const orders: AnyModel = typedOrders;
  const versionOf = (model: AnyModel) => versioned(model, digestOfRows(model)).version;
  const version = versionOf(orders);

  const changes: readonly (readonly [what: string, model: AnyModel])[] = [
    ['a column', { ...orders, tables: [{ ...orderTable, columns: { ...orderTable.columns, note: 'text' } }] }],
    ['an index', { ...orders, tables: [{ ...orderTable, indexes: [...orderTable.indexes, 'note'] }] }],
    ['an event', { ...orders, eventTypes: [...orders.eventTypes, 'MailSent'] }],
    ['the family whose revisions it has', { ...orders, tables: [{ ...orderTable, family: undefined }] }],
    [
      'what it makes of an event without an optional field',
      {
        ...orders,
        evolve(rows, fact) {
          orders.evolve(rows, fact);
          const row = rows.get(orderTable, 'o1');
          if (row && fact.type === 'LeadDelivered' && fact.data.replacementFor === undefined)
            rows.put(orderTable, { ...row, deliveredLeads: row.deliveredLeads + 1 });
        },
      },
    ],
  ];

  it.each(changes)('is another one with %s', (_, changed) => {
    expect(versionOf(changed)).not.toBe(version);
  });

  it('is the same whenever it is computed', () => {
    expect(versionOf({ ...orders })).toBe(version);
  });
});
