import { z } from 'zod';
import { customerStream, isRegistered, notRegistered } from '#domain/accounts/customer';
import { catalogueStream } from '#domain/catalogue/catalogue';
import {
  type Factor,
  type FactorState,
  factorsOf,
  factorsStream,
  factorUnknown,
  factorWrong,
  type Holder,
  hasFactor,
  RECOVERY_CODES,
  type Totp,
} from '#domain/factors/factors';
import type { Caller } from '#domain/kernel/caller';
import type { Refusal } from '#domain/kernel/decider';
import { instant, type Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { memberKey, staffStream } from '#domain/staff/staff';
import { exampleIds } from '#read-models/models/examples';
import type { SessionFactor, SessionStore } from '#sessions/session-store';
import type { Vault } from '#vault/vault';
import { openIfThere } from './account-seals.ts';
import { openRow, type QueryTools } from './query-tools.ts';
import {
  ofStore,
  type Receipt,
  type RequestContext,
  type RequestDependencies,
  type RequestTools,
  requestTools,
} from './request-tools.ts';
import { checkRightEarly } from './rights.ts';
import { newRecoveryCode, newTotpSecret, normalCode, stepOfCode, totpAddress } from './totp.ts';

/** A secret for an authenticator app: this is the only time that it is shown. Absent where a repeat changed nothing. */
interface OfferedTotp extends Receipt {
  readonly offer?: { readonly secret: string; readonly address: string };
}

interface IssuedCodes extends Receipt {
  readonly recoveryCodes?: readonly string[];
}

/** With what people prove, besides the password, who they are. Secrets and codes are made here; the log has no code. */
export const factorRequests = (tools: RequestTools) => ({
  offerTotp: (context: RequestContext): Promise<OfferedTotp> => offerTotp(tools, context),
  issueRecoveryCodes: (context: RequestContext): Promise<IssuedCodes> => issueRecoveryCodes(tools, context),
  reset: (memberId: string, context: RequestContext): Promise<Receipt> =>
    tools.send(memberId, factorsStream(memberId), { type: 'ResetFactors', at: tools.now() }, context),
  resetOfCustomer: (customerId: string, context: RequestContext): Promise<Receipt> =>
    resetOfCustomer(tools, customerId, context),
});

/** A customer without factors has no stream of them. */
async function resetOfCustomer(tools: RequestTools, customerId: string, context: RequestContext): Promise<Receipt> {
  const stream = factorsStream(customerId);
  const store = await ofStore(tools, customerId);
  const command = { type: 'ResetCustomerFactors', at: tools.now(), customerId, ...store } as const;
  const refusal = checkRightEarly(stream, command, await tools.stateOf<'factors'>(stream), context);
  if (refusal) return tools.refuse(customerId, stream, refusal, context);
  const isCustomer = isRegistered(await tools.stateOf<'customer'>(customerStream(customerId)));
  return tools.send(customerId, stream, isCustomer ? command : notRegistered, context);
}

/** The account of whoever asks. */
export const holderOf = ({ actor }: Caller): { id: string; subject: string } & Holder => {
  const id = actor.slice(actor.indexOf(':') + 1);
  return actor.startsWith('customer:')
    ? { id, subject: customerStream(id), customerId: id }
    : { id, subject: memberKey(id), memberId: id };
};

async function offerTotp(tools: RequestTools, context: RequestContext): Promise<OfferedTotp> {
  const { id, subject, ...holder } = holderOf(context.caller);
  const stream = factorsStream(id);
  const refusal = checkRightEarly(stream, { type: 'OfferTotp' }, await tools.stateOf<'factors'>(stream), context);
  const factorId = deriveId('totp', context.commandId);
  if (refusal) return tools.refuse(factorId, stream, refusal, context);
  const secret = newTotpSecret();
  const box = { ...(await tools.vault.seal(subject, 'totp-secret', secret)), secret: true } as const;
  const command = { type: 'OfferTotp', at: tools.now(), factorId, secret: box, ...holder } as const;
  const receipt = await tools.send(factorId, stream, command, context);
  if (!isNew(receipt)) return receipt;
  return { ...receipt, offer: { secret, address: totpAddress(secret, await labelOf(tools, context.caller)) } };
}

/** The secret, or the codes, of the first answer to this request are not these. */
const isNew = ({ outcome }: Receipt): boolean =>
  outcome.kind === 'accepted' && !outcome.repeated && outcome.events.length > 0;

/** How an authenticator app, or a browser, names the account. */
export async function labelOf({ stateOf, vault }: RequestTools, caller: Caller) {
  const { stores } = await stateOf<'catalogue'>(catalogueStream);
  const { memberId, customerId = '' } = holderOf(caller);
  const account =
    memberId === undefined
      ? await stateOf<'customer'>(customerStream(customerId))
      : (await stateOf<'staff'>(staffStream)).members.get(memberId);
  const email = (await openIfThere(vault, account?.email as Sealed | undefined)) as string | undefined;
  const { name = 'Leadger' } = stores.values().next().value ?? {};
  return { issuer: name, label: email ?? caller.actor };
}

async function issueRecoveryCodes(tools: RequestTools, context: RequestContext): Promise<IssuedCodes> {
  const { id } = holderOf(context.caller);
  const codes = newCodes(tools.vault, id);
  const command = { type: 'IssueRecoveryCodes', at: tools.now(), codes: codes.hashes } as const;
  const receipt = await tools.send(id, factorsStream(id), command, context);
  return isNew(receipt) ? { ...receipt, recoveryCodes: codes.shown } : receipt;
}

export function newCodes(vault: Pick<Vault, 'personKey'>, holderId: string) {
  const shown = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
  return { shown, hashes: shown.map((code) => hashOfCode(vault, holderId, code)) };
}

const hashOfCode = (vault: Pick<Vault, 'personKey'>, holderId: string, code: string): string =>
  vault.personKey('recovery-code', `${holderId}:${normalCode(code)}`);

interface CodeTools extends RequestDependencies {
  readonly sessions: Pick<SessionStore, 'useStep'>;
}

export const signInCaller: Caller = { kind: 'process', actor: 'process:sign-in', roles: ['process'], stores: 'all' };

/** Uses a code of an account: of one of its apps, or a recovery code. @returns what it was; undefined: it is no good */
export async function useCode(
  tools: CodeTools,
  holderId: string,
  code: string,
  { commandId }: Pick<RequestContext, 'commandId'>,
): Promise<Exclude<SessionFactor, 'password'> | undefined> {
  const { state } = await tools.streams.read<'factors'>(factorsStream(holderId));
  for (const app of factorsOf(state, 'totp')) if (await isRightTotp(tools, app, code)) return 'totp';
  const hash = hashOfCode(tools.vault, holderId, code);
  if (!state.codes.has(hash)) return undefined;
  const { send, now } = requestTools(tools);
  const step = { caller: signInCaller, commandId: deriveId('recovery-code', commandId) };
  const used = await send(holderId, factorsStream(holderId), { type: 'UseRecoveryCode', at: now(), code: hash }, step);
  return isNew(used) ? 'recovery-code' : undefined;
}

/** Once for all programs: who looked over a shoulder cannot use it again. */
export async function isRightTotp(
  { vault, clock, sessions }: CodeTools,
  { factorId, secret }: Pick<Totp, 'factorId' | 'secret'>,
  code: string,
): Promise<boolean> {
  const opened = (await openIfThere(vault, secret)) as string | undefined;
  const step = opened === undefined ? undefined : stepOfCode(opened, normalCode(code), clock.now());
  return step !== undefined && sessions.useStep(factorId, step);
}

/** The factor whose secret was shown last, if a code of it is right. */
export async function offeredFactor(
  tools: CodeTools,
  { offered }: FactorState,
  factorId: string,
  code: string,
): Promise<Refusal | undefined> {
  if (offered?.factorId !== factorId) return factorUnknown;
  return (await isRightTotp(tools, offered, code)) ? undefined : factorWrong;
}

export const ownFactors = z
  .object({
    factors: z
      .array(
        z.object({
          factorId: z.string().describe('The id of the factor.'),
          kind: z.enum(['totp', 'passkey']).describe('What it is: totp is an authenticator app.'),
          name: z.string().nullable().describe('Of a passkey, as its owner calls it.'),
          addedAt: instant.describe('Since when.'),
        }),
      )
      .describe('What was added, and not removed.'),
    recoveryCodesLeft: z.int().describe('How many recovery codes were not used.'),
    required: z.boolean().describe('Whether the account signs in with a second factor: staff always does.'),
  })
  .meta({ id: 'Factors' });

export const ownFactorsExample: z.infer<typeof ownFactors> = {
  factors: [{ factorId: exampleIds.factorId, kind: 'totp', name: null, addedAt: '2026-03-01T09:30:00.000Z' }],
  recoveryCodesLeft: 10,
  required: true,
};

export const factorQueries = (tools: QueryTools) => ({
  /** Those of the caller. */
  async get(context: RequestContext): Promise<z.infer<typeof ownFactors>> {
    const { caller } = context;
    const state = await tools.stateOf<'factors'>(factorsStream(holderOf(caller).id));
    const factors = await Promise.all([...state.factors.values()].map((factor) => shownFactor(tools, context, factor)));
    const required = hasFactor(state) || caller.actor.startsWith('staff:');
    return { factors, recoveryCodesLeft: state.codes.size, required };
  },
});

async function shownFactor(tools: QueryTools, context: RequestContext, factor: Factor) {
  const { factorId, kind, addedAt } = factor;
  const name = 'name' in factor ? factor.name : undefined;
  const { name: opened } = await openRow(tools, { ...context, opensBoxes: true }, async (openValue) => ({
    name: await openValue<string>(name),
  }));
  return { factorId, kind, name: opened, addedAt };
}
