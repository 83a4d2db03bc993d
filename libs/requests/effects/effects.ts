import type { CommandOf } from '#domain/ledger';
import { callsInTurn } from '#event-store/in-turn';
import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { MailGateway } from '#gateways/mail';
import type { PaymentGateway } from '#gateways/payments';
import type { SupportMail } from '#gateways/support-mail';
import type { WebhookGateway } from '#gateways/webhooks';
import type { EngineOptions } from '#processes/engine/options';
import { type Effect, OutOfReach, type Untimed } from '#processes/process';
import type { ReadModels } from '#read-models/read-models';
import type { Vault } from '#vault/vault';
import { completeErasure } from '../erasure-completion.ts';
import { renewalInUse } from '../renewed-business-keys.ts';
import type { Dispatch } from '../request-tools.ts';
import type { StreamCache } from '../stream-cache.ts';
import { capturePayment, chargeRenewal, forgetPayer, settleRenewal } from './charging.ts';
import { keepPerson } from './keeping-person.ts';
import { sendMail } from './mail-sending.ts';
import { makeRefund } from './refunding.ts';
import { callWebhook } from './webhook-calling.ts';

export interface EffectDependencies {
  readonly store: EventStore;
  readonly streams: StreamCache;
  readonly clock: Clock;
  readonly payments: PaymentGateway;
  readonly mails: MailGateway;
  readonly webhooks: WebhookGateway;
  readonly vault: Vault;
  /** Undefined where none are kept: then an erasure that was interrupted is not completed. */
  readonly readModels?: ReadModels;
  readonly dispatch: Dispatch;
  readonly supportMail?: SupportMail | undefined;
}

const leaveToTheStore = async (): Promise<never> => {
  throw new OutOfReach('charges, mails and calls are made by the program that runs the store');
};
const leftToTheStore = {
  'capture-payment': leaveToTheStore,
  'charge-renewal': leaveToTheStore,
  'settle-renewal': leaveToTheStore,
  'make-refund': leaveToTheStore,
  'forget-payer': leaveToTheStore,
  'send-mail': leaveToTheStore,
  'call-webhook': leaveToTheStore,
} satisfies Partial<EngineOptions['effects']>;

/**
 * What the engine of the processes calls, by the kind of the effect.
 * @param callsOutside false: charges, mails and calls fail as long as only this program runs, and wait for the store
 */
export const effectsOf = (dependencies: EffectDependencies, callsOutside: boolean): EngineOptions['effects'] =>
  callsOutside ? handlersWith(dependencies) : { ...handlersWith(dependencies), ...leftToTheStore };

const handlersWith = ({ store: events, ...others }: EffectDependencies): EngineOptions['effects'] => ({
  'complete-erasure': completingErasures({ store: events, ...others }),
  'capture-payment': (effect, key) => capturePayment(effect, key, others),
  'charge-renewal': (effect, key) => chargeRenewal(effect, key, others),
  'make-refund': (effect, key) => makeRefund(effect, key, others),
  'settle-renewal': (effect) => settleRenewal(effect, others),
  'call-webhook': (effect) => callWebhook(effect, { events, ...others }),
  'send-mail': (effect) => sendMail(effect, { events, ...others }),
  'keep-person': (effect) => keepPerson(effect, others),
  'forget-payer': (effect) => forgetPayer(effect, others),
  'erase-lead': (effect) => eraseLead(effect, others),
  'renew-business-keys': ({ customerId }) => renewalInUse(others, customerId),
  'remove-mail-copies': async ({ before }) => {
    await others.mails.forgetBefore?.(before);
    return undefined;
  },
  'destroy-keys': async ({ subjects }) => {
    await others.vault.eraseAgain(subjects);
    return undefined;
  },
});

/** One after another: after a start there may be thousands. */
function completingErasures({ store: events, readModels, ...others }: EffectDependencies) {
  const inTurn = callsInTurn(1);
  return async ({ erasure }: Extract<Effect, { kind: 'complete-erasure' }>) =>
    readModels &&
    inTurn(async () => {
      const found = await completeErasure({ ...others, events, readModels }, erasure);
      return { type: 'ErasePerson', ...found } as const;
    });
}

/** @returns what is to be recorded of it */
async function eraseLead(
  { leadStream }: Extract<Effect, { kind: 'erase-lead' }>,
  { vault }: Pick<EffectDependencies, 'vault'>,
): Promise<Untimed<CommandOf<'erasures'>>> {
  await vault.erase(leadStream);
  return { type: 'ErasePerson', subjects: [leadStream], personKeys: [], ends: [] };
}
