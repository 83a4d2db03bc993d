import { customerStream } from '#domain/accounts/customer';
import { catalogueStream, storeAt } from '#domain/catalogue/catalogue';
import { cleanTexts } from '#domain/kernel/text';
import type { CommandOf } from '#domain/ledger';
import { programmeStream } from '#domain/loyalty/programme';
import { orderStream } from '#domain/orders/order';
import { NOTHING_DUE } from '#domain/orders/payments';
import { erasuresStream } from '#domain/persons/erasures';
import type { Clock } from '#gateways/clock';
import { failureIn } from '#gateways/failures';
import { type ChargeResult, type PaymentGateway, ProviderRefusal } from '#gateways/payments';
import { type Effect, OutOfReach, type Untimed } from '#processes/process';
import { CannotOpenBox, PersonErased, type Vault } from '#vault/vault';
import { sealSecret } from '../account-seals.ts';
import { isErased } from '../address-claim.ts';
import type { StreamCache } from '../stream-cache.ts';

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;
type Charge = Omit<EffectOf<'capture-payment'>, 'kind' | 'isKept' | 'onlyIfMadeUntil'> &
  Pick<Parameters<PaymentGateway['capture']>[0], 'occasion' | 'returnUrl' | 'onlyIfMade'>;
type Result = Exclude<ChargeResult, { captured: 'unconfirmed' }>;
type Command = Untimed<CommandOf<'programme'>>;

interface ChargingDependencies {
  readonly payments: PaymentGateway;
  readonly streams: Pick<StreamCache, 'read'>;
  readonly vault: Vault;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Of a cancelled order the last answer is recorded whatever it is, or that there was none: then staff look.
 * @returns what is to be recorded of it
 */
export async function capturePayment(
  { kind: _, isKept, onlyIfMadeUntil, ...charge }: EffectOf<'capture-payment'>,
  key: string,
  dependencies: ChargingDependencies,
): Promise<Untimed<CommandOf<'order'>>> {
  const isLast = onlyIfMadeUntil !== undefined && onlyIfMadeUntil <= dependencies.clock.now();
  const asked = { ...charge, occasion: isKept ? 'first' : 'only', onlyIfMade: onlyIfMadeUntil !== undefined } as const;
  const answer = capture(asked, key, dependencies);
  const result = await (isLast ? answer.catch(unknownIfOutOfReach) : answer);
  const { amountCents, currency } = charge;
  const money = { chargeKey: key, amountCents, currency };
  if (result === 'unknown') return { type: 'RecordPaymentUnknown', ...money };
  if (result.captured === 'unconfirmed')
    throw new Error('the customer of a first charge is there, and confirms it there');
  if (!result.captured)
    return isLast ? { type: 'RecordPaymentNotCaptured', ...money } : { type: 'DeclinePayment', reason: result.reason };
  const { captured: _captured, ...payment } = result;
  return { type: 'CapturePayment', ...payment, amountCents, currency };
}

function unknownIfOutOfReach(error: unknown): 'unknown' {
  if (error instanceof OutOfReach) return 'unknown';
  throw error;
}

/** @returns what is to be recorded of it */
export async function chargeRenewal(
  { kind: _, renewalNumber, attempt, isTriedAgain, ...charge }: EffectOf<'charge-renewal'>,
  key: string,
  dependencies: ChargingDependencies,
): Promise<Command> {
  const { orderId, amountCents, currency } = charge;
  const returnUrl = isTriedAgain ? await loyaltyPageOf(orderId, dependencies) : undefined;
  const result = await capture({ ...charge, occasion: 'renewal', returnUrl }, key, dependencies);
  const renewal = { renewalNumber, attempt };
  if (result === 'unknown') return { type: 'RecordRenewalUnknown', ...renewal, chargeKey: key, amountCents, currency };
  if (result.captured === 'unconfirmed') return askToConfirm(orderId, renewal, charge, result, dependencies);
  return resultOfRenewal(renewal, charge, result);
}

interface RenewalAttempt {
  readonly renewalNumber: number;
  readonly attempt: number;
}
type Money = Pick<Charge, 'amountCents' | 'currency'>;

function resultOfRenewal(renewal: RenewalAttempt, { amountCents, currency }: Money, result: Result): Command {
  if (!result.captured) return { type: 'RecordRenewalDeclined', ...renewal, reason: result.reason };
  const { captured: _, ...payment } = result;
  return { type: 'RecordRenewalPaid', ...renewal, ...payment, amountCents, currency };
}

/**
 * Where mails send the members of Loyalty Rewards. The provider refuses a repeated request that differs from the first one: so
 * it is the address when the renewal was begun, also if it is corrected meanwhile (CAT-5).
 */
async function loyaltyPageOf(orderId: string, { streams }: ChargingDependencies): Promise<string | undefined> {
  const [{ state: order }, { state: programme }, { state: catalogue }] = await Promise.all([
    streams.read<'order'>(orderStream(orderId)),
    streams.read<'programme'>(programmeStream(orderId)),
    streams.read<'catalogue'>(catalogueStream),
  ]);
  const { underWay } = programme;
  const address = underWay && storeAt(catalogue, order.terms?.storeId ?? '', underWay.at)?.webAddress;
  return address && `${address.replace(/\/$/, '')}/loyalty/${orderId}`;
}

/** A customer who is erased at this moment confirms nothing: the charge ends. */
async function askToConfirm(
  orderId: string,
  renewal: RenewalAttempt,
  money: Money,
  { reference, link }: Extract<ChargeResult, { captured: 'unconfirmed' }>,
  { streams, vault, payments }: ChargingDependencies,
): Promise<Command> {
  const { terms } = (await streams.read<'order'>(orderStream(orderId))).state;
  try {
    const box = await sealSecret(vault, terms?.customerId ?? '', 'link-token', link);
    return { type: 'RequestConfirmation', ...renewal, reference, link: box };
  } catch (error) {
    if (!(error instanceof PersonErased)) throw error;
    return resultOfRenewal(renewal, money, await endOf(payments, reference));
  }
}

/** @returns what is to be recorded of a charge that waits for its customer; undefined: nothing yet, or not any more */
export async function settleRenewal(
  { orderId, renewalNumber, attempt, reference, isOver }: EffectOf<'settle-renewal'>,
  { streams, payments }: ChargingDependencies,
): Promise<Command | undefined> {
  const { underWay } = (await streams.read<'programme'>(programmeStream(orderId))).state;
  if (!underWay) return undefined;
  const result = await answerOf(settle(payments, reference, isOver));
  return result && resultOfRenewal({ renewalNumber, attempt }, underWay.charge, result);
}

/**
 * An erased customer is charged nothing. Processes begin no charge after an erasure. So one that is still to be made was begun
 * before it, and an answer of the provider may have been lost: the result is unknown. The provider refuses to charge nothing, so it is not asked for what a coupon made
 * free. When it gives no answer, the charge is tried again with the same key: it is unknown whether the money has moved.
 */
async function capture(
  { orderId, token: box, ...charge }: Charge,
  key: string,
  dependencies: ChargingDependencies,
): Promise<ChargeResult | 'unknown'> {
  const { amountCents } = charge;
  if (amountCents > 0 && (await isErasedSince(orderId, dependencies))) return 'unknown';
  const token = await tokenIn(box, orderId, dependencies);
  if (token === undefined) return { captured: false, reason: 'payment-details-erased' };
  if (amountCents === 0) return { captured: true, reference: NOTHING_DUE };
  return answerOf(dependencies.payments.capture({ token, ...charge }, key));
}

/**
 * A provider that keeps nothing has nothing to forget. Whether the one before kept something for a charge is not recorded: the store
 * may be run with it again.
 * @returns what is to be recorded of it
 */
export async function forgetPayer(
  { kind: _, ...payer }: EffectOf<'forget-payer'>,
  { payments }: ChargingDependencies,
): Promise<Untimed<CommandOf<'order'>> | undefined> {
  if ('chargeKey' in payer) {
    if (!payments.forgetKeptBy) return undefined;
    await answerOf(payments.forgetKeptBy(payer.chargeKey));
  } else await answerOf(Promise.resolve(payments.forget?.(payer.providerCustomerId)));
  return { type: 'RecordPayerForgotten', ...payer };
}

async function settle({ settle }: PaymentGateway, reference: string, isOver: boolean): Promise<Result | undefined> {
  if (!settle) throw new ProviderRefusal('it asks for no confirmation');
  return settle(reference, isOver);
}

async function endOf(payments: PaymentGateway, reference: string): Promise<Result> {
  const result = await answerOf(settle(payments, reference, true));
  if (!result) throw new OutOfReach('the payment provider: the payment is under way');
  return result;
}

/**
 * The texts in an answer are cleaned: nothing that a provider says makes an event that cannot be shown.
 * @throws OutOfReach where no answer came; ProviderRefusal where no repetition helps: the engine parks it for people
 */
const answerOf = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
  answer.then(cleanTexts<Answer>, (error: unknown) => {
    if (error instanceof ProviderRefusal) throw new ProviderRefusal(`the payment provider: ${error.message}`);
    throw new OutOfReach(`the payment provider: ${failureIn(error)}`);
  });

/** Older versions recorded no erasure, and declined what was charged after it. */
async function isErasedSince(orderId: string, { streams }: ChargingDependencies): Promise<boolean> {
  const { terms } = (await streams.read<'order'>(orderStream(orderId))).state;
  const { subjects } = (await streams.read<'erasures'>(erasuresStream)).state;
  return terms !== undefined && subjects.has(customerStream(terms.customerId));
}

/**
 * The token is opened only now, just before it is sent. One that an older version stored as it is would survive its
 * customer: so it is asked whether the customer was erased.
 * @returns undefined when the customer was erased @throws OutOfReach while it cannot be opened
 */
async function tokenIn(
  box: Charge['token'],
  orderId: string,
  { streams, vault }: ChargingDependencies,
): Promise<string | undefined> {
  try {
    const { terms } = (await streams.read<'order'>(orderStream(orderId))).state;
    if (terms && (await isErased({ streams, vault }, terms.customerId))) return undefined;
    return (await vault.open(box)) as string | undefined;
  } catch (error) {
    if (error instanceof CannotOpenBox) throw new OutOfReach(`the vault: ${error.message}`);
    throw error;
  }
}
