import {
  type Caller,
  covers,
  isStaff,
  isVisitor,
  leadSource,
  needsFactor,
  type Owner,
  onlyBringsLeads,
  publicForm,
  type StaffRole,
  scopeOf,
} from './caller.ts';
import { type DomainCommand, type Refusal, refuse } from './decider.ts';

/** Who asks, and why. */
export interface AskedBy {
  readonly caller: Caller;
  readonly reason?: string | undefined;
}

export interface Asked<Command, State> extends AskedBy {
  readonly command: Command;
  readonly state: State;
  /** Of the stream, without its family. */
  readonly id: string;
  /** To which the stream belongs, or what the command is about. Undefined where it is not known, or all stores share it. */
  readonly storeId?: string | undefined;
}

/** What the page of rights shows of a rule. */
export interface Described {
  /** Who may ask, in words. */
  readonly who: string;
  /** Id of the store's rule, where there is one. */
  readonly rule?: string | undefined;
  /** Members of staff may ask this who have no factor yet. */
  readonly beforeFactor?: true;
  /** It is about the account of whoever asks, which belongs to no store. */
  readonly aboutCaller?: true;
}

/** @returns why the caller may not ask this; undefined when it may */
export type Rule<Command = unknown, State = unknown> = Described &
  ((asked: Asked<Command, State>) => Refusal | undefined);

/** A stream's file has one line for each of its commands: who may ask for it. */
export type RightsOf<Command extends DomainCommand, State> = {
  readonly [Type in Command['type']]: Rule<Extract<Command, { type: Type }>, State>;
};

export const described = <Check extends (asked: never) => unknown>(
  who: string,
  check: Check,
  rule?: string,
): Check & Described => Object.assign(check, { who, rule });

export const anyone = described('anyone', () => undefined);

/** Nobody is told whether something exists, and nothing is taken, before it is known who asks. */
export const refuseVisitor = ({ caller }: Pick<AskedBy, 'caller'>): Refusal | undefined =>
  isVisitor(caller) ? refuse('sign-in-needed', 'sign in first, or send the key of a program') : undefined;

/** Staff who look after the stock. Support and customers have no leads to bring. */
const RECEIVING: readonly StaffRole[] = ['catalogue-manager', 'operator'];

/** For what a lead source does. */
export const bringingLeads = (rule: string) =>
  described(
    `lead sources, public forms, ${inWords(RECEIVING)}`,
    ({ caller }: Pick<AskedBy, 'caller'>) =>
      caller.roles.some((role) => role === leadSource || role === publicForm)
        ? undefined
        : (refuseVisitor({ caller }) ?? refuseOtherRoles(caller, RECEIVING, rule)),
    rule,
  );

/** Members of staff may do this before they have a factor: what leads to one, and what anyone may. */
export const beforeFactor = <Checked extends Described>(rule: Checked): Checked & Described =>
  Object.assign(rule, { beforeFactor: true as const });

/** Staff of single stores ask this, too: the account is theirs. */
export const aboutCaller = <Checked extends Described>(rule: Checked): Checked & Described =>
  Object.assign(rule, { aboutCaller: true as const });

/** Asked before any rule. */
export const refuseBeforeFactor = (rule: Described, { caller }: Pick<AskedBy, 'caller'>): Refusal | undefined =>
  rule !== anyone && !rule.beforeFactor && needsFactor(caller)
    ? refuse('factor-required', 'staff sign in with a second factor: add one first (POST /api/factors/totp)')
    : undefined;

export const refuseStaleFactor = ({ caller: { factor } }: Pick<AskedBy, 'caller'>): Refusal | undefined =>
  factor === undefined || factor === 'fresh'
    ? undefined
    : refuse('factor-stale', 'prove your second factor again first: POST /api/sessions/current/prove');

/** For what gives away money, data or rights: people prove a factor shortly before. */
export const freshFactor = <By extends AskedBy>(rule: Described & ((asked: By) => Refusal | undefined)) =>
  described(
    `${rule.who}; people with a factor proved just now`,
    (asked: By) => rule(asked) ?? refuseStaleFactor(asked),
    rule.rule,
  );

/** Keys of programs and commands at the machine do not tell which person uses them. */
const isPerson = ({ authenticated }: Caller): boolean =>
  authenticated === 'session' || authenticated === 'trial-header';

/** For what a key of a program must not do, whatever its roles are. */
export const inPerson = <By extends AskedBy>(
  rule: Described & ((asked: By) => Refusal | undefined),
  refusal: Refusal,
) =>
  described(
    `${rule.who}; who signed in`,
    (asked: By) => rule(asked) ?? (isPerson(asked.caller) ? undefined : refusal),
    rule.rule,
  );

/** For what would make staff the owner of an account. */
export const freshFactorOfStaff = <Command, State>(rule: Rule<Command, State>): Rule<Command, State> =>
  described(
    `${rule.who}; staff with a factor proved just now`,
    (asked: Asked<Command, State>) =>
      rule(asked) ?? (isStaff(asked.caller.roles) ? refuseStaleFactor(asked) : undefined),
    rule.rule,
  );

/** For commands that the store's own processes send. */
export const processOnly = described('the store itself', ({ caller }: AskedBy) =>
  caller.roles.includes('process') ? undefined : refuse('process-only', 'only the store itself does this'),
);

const namesOfRoles: Readonly<Record<StaffRole, string>> = {
  support: 'support',
  verifier: 'verifiers',
  'catalogue-manager': 'catalogue managers',
  auditor: 'auditors',
  analyst: 'analysts',
  operator: 'operators',
  administrator: 'administrators',
};

export const inWords = (roles: readonly StaffRole[]): string => roles.map((role) => namesOfRoles[role]).join(', ');

/** Staff who have one of these roles. */
export const staffWith = (roles: readonly StaffRole[], rule?: string) =>
  described(inWords(roles), ({ caller }: AskedBy) => refuseOtherRoles(caller, roles, rule), rule);

/** For what corrects what customers were shown, and for verdicts. */
export const staffWithReason = (roles: readonly StaffRole[], rule: string) =>
  described(
    `${inWords(roles)}, with a reason`,
    (asked: AskedBy) => refuseOtherRoles(asked.caller, roles, rule) ?? refuseWithoutReason(asked, 'staff give', rule),
    rule,
  );

export function refuseOtherRoles(
  { roles }: Pick<Caller, 'roles'>,
  needed: readonly StaffRole[],
  rule?: string,
): Refusal | undefined {
  if (needed.some((role) => roles.includes(role))) return undefined;
  if (!isStaff(roles)) return refuse('staff-only', 'only staff may do this', rule);
  return refuse('other-role', `only ${inWords(needed)} may do this`, rule);
}

/** SUP-2: support gives a reason for everything it does for a customer. */
export const support = (rule: string) =>
  described('support, with a reason', (asked: AskedBy) => refuseSupport(asked, rule), rule);

/** For what support does, and another role, too. */
export const supportOr = (role: StaffRole, rule: string) =>
  described(
    `${inWords(['support', role])}, with a reason`,
    (asked: AskedBy) =>
      asked.caller.roles.includes(role)
        ? refuseWithoutReason(asked, 'support gives', rule)
        : refuseSupport(asked, rule),
    rule,
  );

/** What support asks for, and the store itself must sometimes finish. */
export const supportOrStore = (rule: string) =>
  described(
    'support, with a reason; the store itself',
    (asked: AskedBy) => (asked.caller.roles.includes('process') ? undefined : refuseSupport(asked, rule)),
    rule,
  );

type OwnerIn<Command, State> = (asked: Asked<Command, State>) => string | undefined;

function ownerFrom<Command, State>(owner: OwnerIn<Command, State>, asked: Asked<Command, State>): Owner | undefined {
  const customerId = owner(asked);
  return customerId === undefined ? undefined : { customerId, storeId: asked.storeId };
}

/** For what a customer does, and support on the telephone without a reason: they and processes may ask. */
export const ownerOrSupportWithoutReason = <Command, State>(
  owner: OwnerIn<Command, State>,
  rule: string,
): Rule<Command, State> =>
  described(
    'its customer; support',
    (asked) => refuseStranger(ownerFrom(owner, asked), asked, rule) ?? refuseStaffBut(asked.caller, ['support'], rule),
    rule,
  );

/** For what customers may ask, too. @returns why not, for staff who have none of the roles, and for who only brings leads */
export const refuseStaffBut = (caller: Caller, roles: readonly StaffRole[], rule?: string): Refusal | undefined =>
  isStaff(caller.roles) || onlyBringsLeads(caller) ? refuseOtherRoles(caller, roles, rule) : undefined;

/** For data of an account: the customer and processes may ask, and support with a reason. */
export const ownerOrSupport = <Command, State>(owner: OwnerIn<Command, State>, rule: string): Rule<Command, State> =>
  described(
    'its customer; support, with a reason',
    (asked) => refuseOtherAccount(ownerFrom(owner, asked), asked, rule),
    rule,
  );

/** The owner of a stream that does not exist yet is named by the command that begins it. */
export const customerInCommand = ({ command }: Asked<{ readonly customerId: string }, unknown>): string =>
  command.customerId;

/** The owner of a stream that is named after its customer. */
export const customerInName = ({ id }: Asked<unknown, unknown>): string => id;

/** A stream without an owner does not exist: the domain answers that. */
export function refuseStranger(
  owner: Owner | undefined,
  { caller }: Pick<AskedBy, 'caller'>,
  rule: string,
): Refusal | undefined {
  if (owner === undefined || covers(scopeOf(caller), owner)) return undefined;
  return refuse('not-yours', 'this belongs to another customer', rule);
}

function refuseOtherAccount(owner: Owner | undefined, asked: AskedBy, rule: string): Refusal | undefined {
  if (owner === undefined || isCustomer(asked.caller, owner) || asked.caller.roles.includes('process'))
    return undefined;
  return refuseStranger(owner, asked, rule) ?? refuseSupport(asked, rule);
}

function isCustomer(caller: Caller, { customerId }: Owner): boolean {
  const scope = scopeOf(caller);
  return typeof scope === 'object' && 'customerId' in scope && scope.customerId === customerId;
}

function refuseSupport(asked: AskedBy, rule: string): Refusal | undefined {
  if (!asked.caller.roles.includes('support')) return refuse('support-only', 'only support may do this', rule);
  return refuseWithoutReason(asked, 'support gives', rule);
}

export const refuseWithoutReason = ({ reason }: AskedBy, whoGives: string, rule?: string): Refusal | undefined =>
  reason === undefined ? refuse('reason-missing', `${whoGives} a reason for this`, rule) : undefined;
