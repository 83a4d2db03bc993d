import type { OrderRow } from '#read-models/models/orders';
import { forecastOf } from './forecast.ts';

const order = (changes: Partial<OrderRow>): OrderRow =>
  ({
    status: 'open',
    orderedLeads: 22,
    dailyMaximum: null,
    paidAt: '2026-03-01T00:00:00.000Z',
    deliveredLeads: 4,
    ...changes,
  }) as OrderRow;

const twoDaysLater = '2026-03-03T00:00:00.000Z';

test('an order that got 4 of 22 leads in two days is expected to be filled nine days later', () => {
  expect(forecastOf(order({}), twoDaysLater)).toEqual({
    owedLeads: 18,
    expectedFilledAt: '2026-03-12T00:00:00.000Z',
  });
});

test('an order is not expected to be filled faster than its daily maximum allows', () => {
  expect(forecastOf(order({ dailyMaximum: 1 }), twoDaysLater).expectedFilledAt).toBe('2026-03-21T00:00:00.000Z');
});

test('less than a day counts as a day, so that the first hour promises nothing', () => {
  expect(forecastOf(order({}), '2026-03-01T01:00:00.000Z').expectedFilledAt).toBe('2026-03-05T13:00:00.000Z');
});

test('an order that would be filled in more than a century has no forecast', () => {
  const slow = order({ deliveredLeads: 1, orderedLeads: 1_000_001 });
  expect(forecastOf(slow, '2026-06-09T00:00:00.000Z')).toEqual({ owedLeads: 1_000_000, expectedFilledAt: null });
});

test.each([
  ['has no lead yet', { deliveredLeads: 0 }, 22],
  ['is paused', { status: 'paused' }, 18],
  ['is not paid', { status: 'awaiting-payment', paidAt: null, deliveredLeads: 0 }, 22],
  ['was cancelled', { status: 'cancelled' }, 0],
  ['is filled', { status: 'filled', deliveredLeads: 22 }, 0],
] as const)('an order that %s has no forecast', (_, changes, owedLeads) => {
  expect(forecastOf(order(changes), twoDaysLater)).toEqual({ owedLeads, expectedFilledAt: null });
});
