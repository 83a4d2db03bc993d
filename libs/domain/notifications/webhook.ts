import { z } from 'zod';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { id } from '../kernel/fields.ts';
import { deriveId } from '../kernel/ids.ts';
import { addSeconds } from '../kernel/instants.ts';
import { ownerOrSupport, processOnly, type RightsOf } from '../kernel/rights.ts';
import { suppression } from '../leads/suppression.ts';
import { type FailedCall, isForErased, webhookFailure } from './outcomes.ts';

/** The message about one lead to a customer's own program (DLV-9), until a call is accepted or the last one has failed. */
export const webhookStream = (webhookId: string) => `webhook-${webhookId}` as const;

/** One message for each delivered or suppressed lead: the id is derived from the event. */
export const webhookIdOf = (eventId: string): string => deriveId('webhook', eventId);

const MINUTE = 60;
const HOUR = 60 * MINUTE;
/** The delay after each failed call, as Standard Webhooks recommends. After the last one the message is parked. */
export const RETRY_SECONDS = [
  5,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
] as const;

const attempt = z.int().positive();
const about = { customerId: id, orderId: id, leadId: id };

export const webhookEvents = {
  WebhookWished: fact({
    ...about,
    eventId: id,
    deliveredAt: instant.optional().describe('When the lead was delivered; absent in a message about a suppression.'),
    suppression: suppression.optional().describe('Why the person of the lead must not be contacted any more (DLV-12).'),
    suppressedAt: instant.optional(),
  }),
  WebhookAccepted: fact({ ...about, attempt, status: z.int() }),
  WebhookFailed: fact({ ...about, attempt, ...webhookFailure, retryAt: instant }),
  /**
   * There is no further attempt: all have failed, or the customer's program rejects the message. Where the customer or the person
   * of the lead was erased, the message is withheld for good.
   */
  WebhookParked: fact({ ...about, attempt, ...webhookFailure }),
  WebhookReplayed: fact(about),
};
type WebhookEvent = EventsOf<typeof webhookEvents>;
type DataOf<Type extends WebhookEvent['type']> = Extract<WebhookEvent, { type: Type }>['data'];
export type WebhookWish = Omit<DataOf<'WebhookWished'>, 'at'>;

type WebhookCommand =
  | ({ type: 'WishWebhook'; at: Instant } & WebhookWish)
  | { type: 'RecordWebhookAccepted'; at: Instant; attempt: number; status: number }
  /** `hopeless`: another attempt cannot succeed. */
  | ({ type: 'RecordWebhookFailed'; at: Instant; attempt: number; hopeless: boolean } & FailedCall)
  /** `storeId`: of its customer, for the rights of staff. */
  | { type: 'ReplayWebhook'; at: Instant; storeId?: string | undefined };

export const customerOfWebhook = ({ wish }: WebhookState): string | undefined => wish?.customerId;

/** Who may ask for which command. */
export const webhookRights = {
  WishWebhook: processOnly,
  RecordWebhookAccepted: processOnly,
  RecordWebhookFailed: processOnly,
  ReplayWebhook: ownerOrSupport<unknown, WebhookState>(({ state }) => customerOfWebhook(state), 'ACC-4'),
} satisfies RightsOf<WebhookCommand, WebhookState>;

export const webhookStatuses = ['waiting', 'accepted', 'parked', 'withheld'] as const;
type WebhookStatus = (typeof webhookStatuses)[number];

/** Of a message for which there is no further attempt. */
export const endOf = (failed: FailedCall): WebhookStatus => (isForErased(failed) ? 'withheld' : 'parked');

interface WebhookState {
  readonly status: WebhookStatus | 'unknown';
  readonly wish: WebhookWish | undefined;
  readonly attempts: number;
  /** Attempts before the last replay do not count towards the schedule. */
  readonly attemptsSinceReplay: number;
}

/** Its next call is made at once. After a failure, it waits. */
const isDue = ({ status, attemptsSinceReplay }: WebhookState): boolean =>
  status === 'waiting' && attemptsSinceReplay === 0;

const withheld = refuse('person-erased', 'the customer or the person of the lead was erased: it is not sent', 'DLV-9');

export const webhook: Decider<WebhookState, WebhookCommand, WebhookEvent> = {
  initialState: () => ({ status: 'unknown', wish: undefined, attempts: 0, attemptsSinceReplay: 0 }),

  decide(command, state): Decision<WebhookEvent> {
    const { at } = command;
    if (command.type === 'WishWebhook') {
      const { type: _, ...data } = command;
      return state.status === 'unknown' ? [{ type: 'WebhookWished', data }] : [];
    }
    if (!state.wish) return refuse('webhook-unknown', 'there is no such message', 'DLV-9');
    const { customerId, orderId, leadId } = state.wish;
    const ids = { at, customerId, orderId, leadId };
    if (command.type === 'ReplayWebhook' && state.status === 'withheld') return withheld;
    if (command.type === 'ReplayWebhook') return isDue(state) ? [] : [{ type: 'WebhookReplayed', data: ids }];
    // This result is already recorded: after a crash the call was repeated.
    if (state.status !== 'waiting' || command.attempt !== state.attempts + 1) return [];
    const { attempt } = command;
    if (command.type === 'RecordWebhookAccepted')
      return [{ type: 'WebhookAccepted', data: { ...ids, attempt, status: command.status } }];
    const { failure, status, hopeless } = command;
    const failed = { ...ids, attempt, failure, status };
    const seconds = hopeless ? undefined : RETRY_SECONDS[state.attemptsSinceReplay];
    return seconds === undefined
      ? [{ type: 'WebhookParked', data: failed }]
      : [{ type: 'WebhookFailed', data: { ...failed, retryAt: addSeconds(at, seconds) } }];
  },

  evolve(state, event): WebhookState {
    switch (event.type) {
      case 'WebhookWished': {
        const { at: _, ...wish } = event.data;
        return { ...state, status: 'waiting', wish };
      }
      case 'WebhookAccepted':
        return { ...state, status: 'accepted', attempts: event.data.attempt };
      case 'WebhookFailed':
        return { ...state, attempts: event.data.attempt, attemptsSinceReplay: state.attemptsSinceReplay + 1 };
      case 'WebhookParked':
        return { ...state, status: endOf(event.data), attempts: event.data.attempt };
      case 'WebhookReplayed':
        return { ...state, status: 'waiting', attemptsSinceReplay: 0 };
    }
  },
};
