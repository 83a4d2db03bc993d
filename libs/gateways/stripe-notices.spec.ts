import { createHmac } from 'node:crypto';
import { BadSignature, MalformedNotice } from './payment-notices.ts';
import { stripeNotices } from './stripe-notices.ts';

const SECRET = 'whsec_of_this_test';
const NOW = '2026-03-02T15:00:00.000Z';
const SECONDS = Date.parse(NOW) / 1000;

/** https://docs.stripe.com/webhooks#verify-manually */
const signed = (body: string, { secret = SECRET, at = SECONDS } = {}): string =>
  `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;

const eventOf = (type: string, dispute: object = {}) =>
  JSON.stringify({
    id: 'evt_1',
    object: 'event',
    type,
    data: {
      object: {
        id: 'du_1',
        object: 'dispute',
        amount: 2500,
        currency: 'usd',
        charge: 'ch_1',
        payment_intent: 'pi_1',
        status: 'needs_response',
        reason: 'product_not_received',
        ...dispute,
      },
    },
  });
const read = (body: string, signature = signed(body)) => stripeNotices(SECRET).read(body, signature, NOW);
const notice = {
  kind: 'dispute',
  noticeId: 'evt_1',
  disputeId: 'du_1',
  reference: 'pi_1',
  amountCents: 2500,
  currency: 'USD',
  stage: 'opened',
  reason: 'not-received',
};

describe('notices of Stripe', () => {
  it('tell of disputes, by the payment, with codes of ours', async () => {
    expect(await read(eventOf('charge.dispute.created'))).toEqual(notice);
    expect(await read(eventOf('charge.dispute.updated', { status: 'under_review' }))).toEqual(notice);
    expect(await read(eventOf('charge.dispute.closed', { status: 'lost' }))).toEqual({ ...notice, stage: 'lost' });
    expect(await read(eventOf('charge.dispute.closed', { status: 'warning_closed' }))).toMatchObject({ stage: 'won' });
    const later = { payment_intent: null, reason: 'a_word_of_next_year' };
    expect(await read(eventOf('charge.dispute.created', later))).toMatchObject({ reference: 'ch_1', reason: 'other' });
  });

  it.each([
    ['isk', 2_050_000, 20_500],
    ['ugx', 2_050_000, 20_500],
    ['mga', 41_000, 4_100_000],
    ['kwd', 1230, 1230],
    ['jpy', 1230, 1230],
    // A part of a krona cannot be given back either.
    ['isk', 2_050_001, 20_501],
  ])('tell amounts of %s in minor units', async (currency, amount, amountCents) => {
    const told = await read(eventOf('charge.dispute.created', { currency, amount }));
    expect(told).toMatchObject({ amountCents, currency: currency.toUpperCase() });
  });

  it.each([
    ['an id that is none', { id: 'du_\0' }],
    ['an id of a thousand characters', { id: 'x'.repeat(1000) }],
    ['half a character in the payment', { payment_intent: 'pi_\ud800' }],
    ['a currency that is none', { currency: 'us dollars' }],
  ])('with %s are malformed', async (_, wrong) => {
    await expect(read(eventOf('charge.dispute.created', wrong))).rejects.toThrow(MalformedNotice);
  });

  it('with a word that every object answers to tell nothing more', async () => {
    const odd = { status: 'constructor', reason: '__proto__' };
    expect(await read(eventOf('charge.dispute.created', odd))).toMatchObject({ stage: 'opened', reason: 'other' });
  });

  // https://docs.stripe.com/refunds#failed-refunds
  it.each(['refund.failed', 'refund.updated', 'charge.refund.updated'])(
    '%s tells that a refund of ours did not arrive',
    async (type) => {
      const refund = { id: 're_1', object: 'refund', status: 'failed', failure_reason: 'lost_or_stolen_card' };
      const ours = { ...refund, metadata: { refund_id: 'r1' } };
      const told = { noticeId: 'evt_1', reference: 'pi_1', refundId: 'r1', refundReference: 're_1' };
      for (const status of ['failed', 'canceled'])
        expect(await read(eventOf(type, { ...ours, status }))).toEqual({ kind: 'refund-returned', ...told });
      for (const other of [
        { ...ours, status: 'succeeded' },
        { ...ours, metadata: {} },
        { ...refund, metadata: null },
      ])
        expect(await read(eventOf(type, other))).toBeUndefined();
    },
  );

  it('of other things are of no interest', async () => {
    expect(await read(eventOf('charge.succeeded'))).toBeUndefined();
  });

  it.each([
    ['none', () => ''],
    ['one that is no signature', () => 'v1=00'],
    ['one without a digest', () => `t=${SECONDS},v1=`],
    ['one without a digest and a time', () => 't=0,v1='],
    ['one with another secret', (body: string) => signed(body, { secret: 'whsec_other' })],
    ['one of another body', () => signed('{}')],
    ['one that is older than five minutes', (body: string) => signed(body, { at: SECONDS - 301 })],
  ])('with %s as signature are refused', async (_, signature) => {
    const body = eventOf('charge.dispute.created');
    await expect(read(body, signature(body))).rejects.toThrow(BadSignature);
  });

  it.each([
    'null',
    '7',
    '{',
    '{"type":"charge.dispute.created"}',
    '{"id":"evt_1","type":"charge.dispute.created","data":{}}',
    '{"id":"evt_1","type":"charge.dispute.created","data":{"object":{"id":5}}}',
    '{"id":"evt_1","type":"refund.failed","data":{"object":{"id":"re_1","metadata":[1]}}}',
  ])('that say nothing of their kind are refused: %s', async (body) => {
    await expect(read(body)).rejects.toThrow(MalformedNotice);
  });

  it('may be five minutes old', async () => {
    const body = eventOf('charge.dispute.created');
    expect(await read(body, signed(body, { at: SECONDS - 300 }))).toEqual(notice);
  });
});
