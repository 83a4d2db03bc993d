import { given } from '#test/given';
import { RETRY_SECONDS, webhook } from './webhook.ts';

const at = '2026-05-01T10:00:00.000Z';
const ids = { customerId: 'c1', orderId: 'o1', leadId: 'l1' };
const wish = { ...ids, eventId: 'e1', deliveredAt: at };
const wished = { type: 'WebhookWished', data: { at, ...wish } } as const;
const failed = (attempt: number) =>
  ({ type: 'WebhookFailed', data: { at, ...ids, attempt, failure: 'answered', status: 503, retryAt: at } }) as const;
const record = (attempt: number, hopeless = false) =>
  ({ type: 'RecordWebhookFailed', at, attempt, failure: 'answered', status: 503, hopeless }) as const;
const everyTryFailed = RETRY_SECONDS.map((_, index) => failed(index + 1));

describe('a lead on its way to a program', () => {
  it('is wished once', () => {
    given(webhook)
      .when({ type: 'WishWebhook', at, ...wish })
      .thenRecords(wished);
    given(webhook, wished)
      .when({ type: 'WishWebhook', at, ...wish })
      .thenNothing();
  });

  it('waits longer after each failure', () => {
    given(webhook, wished)
      .when(record(1))
      .thenRecords({ ...failed(1), data: { ...failed(1).data, retryAt: '2026-05-01T10:00:05.000Z' } });
    given(webhook, wished, failed(1))
      .when(record(2))
      .thenRecords({ ...failed(2), data: { ...failed(2).data, retryAt: '2026-05-01T10:05:00.000Z' } });
  });

  it('is laid aside after the last try, or at once where it is hopeless', () => {
    const parked = (attempt: number) =>
      ({ type: 'WebhookParked', data: { at, ...ids, attempt, failure: 'answered', status: 503 } }) as const;
    given(webhook, wished, ...everyTryFailed)
      .when(record(RETRY_SECONDS.length + 1))
      .thenRecords(parked(RETRY_SECONDS.length + 1));
    given(webhook, wished).when(record(1, true)).thenRecords(parked(1));
  });

  it('is sent again on request, with the whole retry schedule', () => {
    const parked = { type: 'WebhookParked', data: { at, ...ids, attempt: 1, failure: 'unreachable' } } as const;
    const replayed = { type: 'WebhookReplayed', data: { at, ...ids } } as const;
    given(webhook, wished, parked).when({ type: 'ReplayWebhook', at }).thenRecords(replayed);
    given(webhook, wished, parked, replayed).when({ type: 'ReplayWebhook', at }).thenNothing();
    given(webhook, wished).when({ type: 'ReplayWebhook', at }).thenNothing();
    given(webhook, wished, failed(1)).when({ type: 'ReplayWebhook', at }).thenRecords(replayed);
    given(webhook, wished, parked, replayed)
      .when(record(2))
      .thenRecords({ ...failed(2), data: { ...failed(2).data, retryAt: '2026-05-01T10:00:05.000Z' } });
  });

  it.each(['customer-erased', 'person-erased'] as const)('is withheld for good when its %s', (failure) => {
    const withheld = { type: 'WebhookParked', data: { at, ...ids, attempt: 2, failure } } as const;
    given(webhook, wished, failed(1))
      .when({ type: 'RecordWebhookFailed', at, attempt: 2, failure, hopeless: true })
      .thenRecords(withheld);
    given(webhook, wished, failed(1), withheld)
      .when({ type: 'ReplayWebhook', at })
      .thenRefuses('person-erased', 'DLV-9');
  });

  it('has one result for each attempt, whichever process records it', () => {
    given(webhook, wished, failed(1)).when(record(1)).thenNothing();
    given(webhook, wished, failed(1))
      .when({ type: 'RecordWebhookAccepted', at, attempt: 1, status: 200 })
      .thenNothing();
  });

  it('is refused when there is none', () => {
    given(webhook).when({ type: 'ReplayWebhook', at }).thenRefuses('webhook-unknown', 'DLV-9');
  });
});
