import { z } from 'zod';
import { notRegistered } from '../accounts/customer.ts';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, type Sealed, type Secret } from '../kernel/events.ts';
import { id, keyedHash, sealedFor, secretFor } from '../kernel/fields.ts';
import {
  type Asked,
  type AskedBy,
  aboutCaller,
  beforeFactor,
  described,
  freshFactor,
  inPerson,
  processOnly,
  type RightsOf,
  refuseStaleFactor,
  refuseVisitor,
  support,
} from '../kernel/rights.ts';
import { administrator, memberUnknown } from '../staff/staff.ts';

/**
 * With what a person proves, besides the password, who signs in: a member of staff or a customer. Each has a stream, named by the
 * id of the member or the customer (ADR 61).
 */
export const factorsStream = (holderId: string) => `factors-${holderId}` as const;

/** More are for nobody's good, and the codes of all are tried. */
export const MOST_FACTORS = 10;
export const RECOVERY_CODES = 10;

/** One of them. */
const holder = { memberId: id.optional(), customerId: id.optional() };
const codes = z
  .array(keyedHash)
  .describe('Of recovery codes, each of which can be used once. Codes of before are good for nothing.');

export const factorEvents = {
  /** The secret is shown once, for an authenticator app. It is a factor once a code of the app was sent (RFC 6238). */
  TotpOffered: fact({ ...holder, factorId: id, secret: secretFor('holder', 'totp-secret') }),
  /** `codes`: they come with the first factor. */
  TotpAdded: fact({ ...holder, factorId: id, codes: codes.optional() }),
  /**
   * A passkey of a browser, a telephone or a security key (WebAuthn). `credential`: with what its signatures are checked.
   * `counter`: of its signatures, at that time. `isBackupEligible`: it may be on several devices. `codes`: they come with the first factor.
   */
  PasskeyAdded: fact({
    ...holder,
    factorId: id,
    credentialKey: keyedHash,
    credential: secretFor('holder', 'passkey'),
    name: sealedFor('holder', 'name').optional(),
    counter: z.int().nonnegative(),
    isBackupEligible: z.boolean(),
    isBackedUp: z.boolean(),
    codes: codes.optional(),
  }),
  /** `kind`: absent for an app. */
  FactorRemoved: fact({ ...holder, factorId: id, kind: z.literal('passkey').optional() }),
  RecoveryCodesIssued: fact({ ...holder, codes }),
  RecoveryCodeUsed: fact({ ...holder, code: keyedHash }),
  /** Their holder lost them. All are gone; the next sign-in of a member is for adding another one. */
  FactorsReset: fact(holder),
};
export type FactorEvent = EventsOf<typeof factorEvents>;

/** Whose factors they are: a member of staff, or a customer. */
export interface Holder {
  readonly memberId?: string | undefined;
  readonly customerId?: string | undefined;
}

type NewPasskey = Omit<Extract<FactorEvent, { type: 'PasskeyAdded' }>['data'], 'at' | 'codes'>;

export type FactorCommand =
  | ({ type: 'OfferTotp'; at: Instant; factorId: string; secret: Secret } & Holder)
  /** A code of the app was right. `codes`: for whoever has none yet. */
  | { type: 'AddTotp'; at: Instant; factorId: string; codes: readonly string[] }
  /** It has signed a challenge. `codes`: for whoever has none yet. */
  | ({ type: 'AddPasskey'; at: Instant; codes: readonly string[] } & NewPasskey)
  | { type: 'RemoveFactor'; at: Instant; factorId: string }
  | { type: 'IssueRecoveryCodes'; at: Instant; codes: readonly string[] }
  | { type: 'UseRecoveryCode'; at: Instant; code: string }
  | { type: 'ResetFactors'; at: Instant }
  /** `storeId`: of the customer, for the rights of staff. */
  | { type: 'ResetCustomerFactors'; at: Instant; customerId: string; storeId?: string | undefined };

export const notYourFactors = refuse('not-your-factors', 'whoever signed in adds, proves and removes the own factors');

const refuseOther = ({ caller, id: holderId }: Asked<unknown, unknown>) => {
  const { actor, authenticated } = caller;
  if (authenticated === 'session' && [`staff:${holderId}`, `customer:${holderId}`].includes(actor)) return undefined;
  return notYourFactors;
};

/** Who has factors proves one before they are changed. The first one is added with the password alone. */
const own = aboutCaller(
  beforeFactor(
    described(
      'whose factors they are; a factor proved just now, if there is one',
      (asked: Asked<unknown, FactorState>) =>
        refuseVisitor(asked) ?? refuseOther(asked) ?? (hasFactor(asked.state) ? refuseStaleFactor(asked) : undefined),
    ),
  ),
);

/** Who may ask for which command. */
export const factorRights = {
  OfferTotp: own,
  AddTotp: own,
  AddPasskey: own,
  RemoveFactor: own,
  IssueRecoveryCodes: own,
  // Somebody signs in with it, or proves a factor.
  UseRecoveryCode: processOnly,
  ResetFactors: freshFactor(
    described(
      'administrators of all stores, of another member',
      (asked: Asked<unknown, FactorState>) => administrator(asked) ?? refuseOwn(asked),
    ),
  ),
  // A key of a program that was stolen would take away what protects each account.
  ResetCustomerFactors: freshFactor(
    inPerson(
      support('SUP-2'),
      refuse('not-your-factors', 'support that signed in resets the factors of a customer', 'SUP-2'),
    ),
  ),
} satisfies RightsOf<FactorCommand, FactorState>;

const refuseOwn = ({ caller, id: holderId }: AskedBy & { id: string }) =>
  caller.actor === `staff:${holderId}`
    ? refuse('own-factors', 'another administrator resets yours; you add and remove them yourself')
    : undefined;

interface FactorSince {
  readonly factorId: string;
  readonly addedAt: Instant;
}

export interface Totp extends FactorSince {
  readonly kind: 'totp';
  readonly secret: Secret;
}

export interface Passkey extends FactorSince {
  readonly kind: 'passkey';
  /** Of its id, which only its holder's browsers know. */
  readonly credentialKey: string;
  readonly credential: Secret;
  readonly name?: Sealed | undefined;
  readonly counter: number;
  readonly isBackupEligible: boolean;
  readonly isBackedUp: boolean;
}

export type Factor = Totp | Passkey;

export interface FactorState extends Holder {
  readonly offered?: { readonly factorId: string; readonly secret: Secret };
  readonly factors: ReadonlyMap<string, Factor>;
  /** Those that were not used. */
  readonly codes: ReadonlySet<string>;
  readonly usedCodes: ReadonlySet<string>;
  /** How often something was taken away: sessions from before it have ended. */
  readonly reductions: number;
}

/** The apps, or the passkeys. */
export const factorsOf = <Kind extends Factor['kind']>({ factors }: FactorState, kind: Kind) =>
  [...factors.values()].filter((factor): factor is Extract<Factor, { kind: Kind }> => factor.kind === kind);

export const hasFactor = ({ factors }: FactorState): boolean => factors.size > 0;

export const factorUnknown = refuse('factor-unknown', 'there is no such factor, or another one was offered since');
const tooManyFactors = refuse('too-many-factors', `nobody has more than ${MOST_FACTORS} factors: remove one first`);
const passkeyKnown = refuse('passkey-known', 'this passkey is one of the account already');
const lastFactor = refuse('last-factor', 'staff sign in with a factor: add another one first');
const noFactor = refuse('no-factor', 'there is no factor yet: add one first');
export const factorWrong = refuse(
  'factor-wrong',
  'this code or passkey is another one, has expired, or was used before',
);

export const factors: Decider<FactorState, FactorCommand, FactorEvent> = {
  initialState: () => ({ factors: new Map(), codes: new Set(), usedCodes: new Set(), reductions: 0 }),

  decide(command, state): Decision<FactorEvent> {
    const { at } = command;
    const of = holderIn(state);
    switch (command.type) {
      case 'OfferTotp': {
        const { type: _, ...data } = command;
        return state.factors.size < MOST_FACTORS ? [{ type: 'TotpOffered', data }] : tooManyFactors;
      }
      case 'AddTotp':
        return addTotp(command, state);
      case 'AddPasskey':
        return addPasskey(command, state);
      case 'RemoveFactor':
        return removeFactor(command, state);
      case 'IssueRecoveryCodes':
        return hasFactor(state)
          ? [{ type: 'RecoveryCodesIssued', data: { at, ...of, codes: [...command.codes] } }]
          : noFactor;
      case 'UseRecoveryCode':
        return state.codes.has(command.code)
          ? [{ type: 'RecoveryCodeUsed', data: { at, ...of, code: command.code } }]
          : factorWrong;
      case 'ResetFactors':
        return state.customerId === undefined ? reset(at, state) : memberUnknown;
      case 'ResetCustomerFactors':
        return state.memberId === undefined ? reset(at, state) : notRegistered;
      default:
        return undecided(command);
    }
  },

  evolve(state, { type, data }): FactorState {
    const { at: addedAt, memberId, customerId } = data;
    const of = { ...state, ...holderIn({ memberId, customerId }) };
    switch (type) {
      case 'TotpOffered':
        return { ...of, offered: { factorId: data.factorId, secret: data.secret } };
      case 'TotpAdded': {
        const { offered, ...rest } = of;
        if (offered?.factorId !== data.factorId) return of;
        const added = new Map(state.factors).set(data.factorId, { kind: 'totp', addedAt, ...offered });
        return { ...rest, factors: added, codes: data.codes ? new Set(data.codes) : state.codes };
      }
      case 'PasskeyAdded': {
        const { at: _, memberId: __, customerId: ___, codes = state.codes, ...passkey } = data;
        const added = new Map(state.factors).set(data.factorId, { kind: 'passkey', addedAt, ...passkey });
        return { ...of, factors: added, codes: new Set(codes) };
      }
      case 'FactorRemoved': {
        const left = new Map(state.factors);
        left.delete(data.factorId);
        const codes = left.size > 0 ? state.codes : new Set<string>();
        return { ...of, factors: left, codes, reductions: state.reductions + 1 };
      }
      case 'RecoveryCodesIssued':
        return { ...of, codes: new Set(data.codes), usedCodes: new Set() };
      case 'RecoveryCodeUsed': {
        const codes = new Set(state.codes);
        codes.delete(data.code);
        return { ...of, codes, usedCodes: new Set(state.usedCodes).add(data.code) };
      }
      case 'FactorsReset': {
        const { offered: _, ...rest } = of;
        return { ...rest, factors: new Map(), codes: new Set(), reductions: state.reductions + 1 };
      }
    }
  },
};

type Command<Type extends FactorCommand['type']> = Extract<FactorCommand, { type: Type }>;

const holderIn = ({ memberId, customerId }: Holder): Holder => ({
  ...(memberId !== undefined && { memberId }),
  ...(customerId !== undefined && { customerId }),
});

function addTotp({ at, factorId, codes }: Command<'AddTotp'>, state: FactorState): Decision<FactorEvent> {
  if (state.factors.has(factorId)) return [];
  if (state.offered?.factorId !== factorId) return factorUnknown;
  if (state.factors.size >= MOST_FACTORS) return tooManyFactors;
  const first = hasFactor(state) ? {} : { codes: [...codes] };
  return [{ type: 'TotpAdded', data: { at, ...holderIn(state), factorId, ...first } }];
}

function addPasskey({ type: _, codes, ...data }: Command<'AddPasskey'>, state: FactorState): Decision<FactorEvent> {
  if (state.factors.has(data.factorId)) return [];
  if (factorsOf(state, 'passkey').some(({ credentialKey }) => credentialKey === data.credentialKey))
    return passkeyKnown;
  if (state.factors.size >= MOST_FACTORS) return tooManyFactors;
  return [{ type: 'PasskeyAdded', data: { ...data, ...(!hasFactor(state) && { codes: [...codes] }) } }];
}

const reset = (at: Instant, state: FactorState): Decision<FactorEvent> =>
  hasFactor(state) ? [{ type: 'FactorsReset', data: { at, ...holderIn(state) } }] : [];

function removeFactor({ at, factorId }: Command<'RemoveFactor'>, state: FactorState): Decision<FactorEvent> {
  const factor = state.factors.get(factorId);
  if (!factor) return factorUnknown;
  if (state.memberId !== undefined && state.factors.size === 1) return lastFactor;
  const kind = factor.kind === 'passkey' && { kind: factor.kind };
  return [{ type: 'FactorRemoved', data: { at, ...holderIn(state), factorId, ...kind } }];
}
