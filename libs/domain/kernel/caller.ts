/** Who asks for something: a person, a program with a key of its own, or one of the store's own processes. */
export interface Caller {
  readonly kind: 'person' | 'program' | 'process';
  /** As histories name it: `customer:ID`, `staff:ID`, `process:ID`, `system:ID`. It is stored for ever, so it is an id and no name. */
  readonly actor: string;
  readonly roles: readonly Role[];
  /** The stores in which the roles hold. */
  readonly stores: 'all' | readonly string[];
  /** Absent: the program itself asks. */
  readonly authenticated?: Authentication;
  /** Who was authenticated, where that is another than the actor for whom it acts. */
  readonly authenticatedAs?: string;
  /** Of a person who signed in. Absent: no second factor is asked for. */
  readonly factor?: ProvedFactor;
}

/** Whether the session proved a second factor, besides the password, and whether that was a short time ago. */
export type ProvedFactor = 'none' | 'proved' | 'fresh';

/**
 * How it is known who asks. `trial-header`: a header of the request says so, and nobody checked it. `cli`: a person runs a
 * command on the machine of the store. `process`: the program itself. `signature`: the sender signed it. `mail-link`: a mail to the customer
 * had the link. `session`: a person signed in. `api-key`: a program sent its key. `public-form`: anybody filled in the form of a
 * key. `none`: nobody said who asks.
 */
export const authentications = [
  'trial-header',
  'cli',
  'process',
  'signature',
  'mail-link',
  'session',
  'api-key',
  'public-form',
  'none',
] as const;
export type Authentication = (typeof authentications)[number];

/**
 * The actors that a request may name. The id is stored in plain for ever, so it is no name and no e-mail address: at most 64
 * letters, digits, dots, hyphens and underscores.
 */
export const ACTOR = /^(customer|staff|system):[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const STORED_ID = /^([a-z]+:)?[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Older versions took any text as an actor: also a name with blanks, or an e-mail address. */
export const isActorId = (actor: string): boolean => STORED_ID.test(actor);

export const staffRoles = [
  'support',
  'verifier',
  'catalogue-manager',
  'auditor',
  'analyst',
  'operator',
  'administrator',
] as const;

/** The role of a program that only brings leads. */
export const leadSource = 'lead-source';

/** The role of a form that anybody may fill in: it brings leads, and is told nothing. */
export const publicForm = 'public-form';

/** What a caller may do follows from its roles. `process` is the store itself, carrying out what it has promised. */
export type Role = (typeof staffRoles)[number] | 'customer' | typeof leadSource | typeof publicForm | 'process';

const CUSTOMER = 'customer:';
const PROGRAM = 'system:';

/** The part of a store's data that a caller may ask about. */
export type Scope = 'all' | { readonly stores: readonly string[] } | { readonly customerId: string } | 'nothing';

/** Customers may ask about themselves, staff about their stores, and processes about everything; nobody else may ask. */
export function scopeOf({ actor, roles, stores }: Caller): Scope {
  if (actor.startsWith(CUSTOMER))
    return roles.includes('customer') ? { customerId: actor.slice(CUSTOMER.length) } : 'nothing';
  if (!isStaff(roles) && !roles.includes('process')) return 'nothing';
  return stores === 'all' ? 'all' : { stores };
}

/** Of everyone who works for the store. */
export type StaffRole = (typeof staffRoles)[number];

export const isStaff = (roles: readonly Role[]): boolean => staffRoles.some((role) => roles.includes(role));

/** Staff, and programs with a key: they answer for what they do. */
export const worksForStore = ({ kind, roles }: Pick<Caller, 'kind' | 'roles'>): boolean =>
  isStaff(roles) || kind === 'program' || kind === 'process';

/** For programs and forms whose only business is to bring leads. */
export const onlyBringsLeads = ({ roles }: Pick<Caller, 'roles'>): boolean =>
  roles.length > 0 && roles.every((role) => role === leadSource || role === publicForm);

/** Who something belongs to. */
export interface Owner {
  readonly customerId: string;
  /** Undefined where it is not known. Staff of single stores may not ask about it then. */
  readonly storeId?: string | undefined;
}

export function covers(scope: Scope, { customerId, storeId }: Owner): boolean {
  if (scope === 'all') return true;
  if (scope === 'nothing') return false;
  if ('customerId' in scope) return scope.customerId === customerId;
  return storeId !== undefined && scope.stores.includes(storeId);
}

/** Nobody said who asks. */
export const visitor: Caller = {
  kind: 'person',
  actor: 'visitor:web',
  roles: [],
  stores: 'all',
  authenticated: 'none',
};

export const isVisitor = ({ actor }: Caller): boolean => actor === visitor.actor;

export const customerCaller = (customerId: string, factor: ProvedFactor): Caller => ({
  kind: 'person',
  actor: `${CUSTOMER}${customerId}`,
  roles: ['customer'],
  stores: 'all',
  authenticated: 'session',
  factor,
});

const STAFF = 'staff:';

/** Whoever has no factor yet has no role yet, either. */
export const memberCaller = (
  memberId: string,
  { roles, stores }: Pick<Caller, 'roles' | 'stores'>,
  factor: ProvedFactor,
): Caller => ({
  kind: 'person',
  actor: `${STAFF}${memberId}`,
  roles: factor === 'none' ? [] : roles,
  stores,
  authenticated: 'session',
  factor,
});

/** A member of staff who signed in, and has no factor yet. */
export const needsFactor = ({ actor, factor }: Caller): boolean => factor === 'none' && actor.startsWith(STAFF);

export const programCaller = (keyId: string, { roles, stores }: Pick<Caller, 'roles' | 'stores'>): Caller => ({
  kind: 'program',
  actor: `${PROGRAM}${keyId}`,
  roles,
  stores,
  authenticated: 'api-key',
});

/** Whoever fills in a form asks as the key of the form. */
export const formCaller = (keyId: string): Caller => ({
  ...programCaller(keyId, { roles: [publicForm], stores: 'all' }),
  authenticated: 'public-form',
});

/**
 * In a trial, the header of a request says who asks: the owner of the machine, a customer of the store, or a program that
 * brings leads.
 */
export function trialCaller(actor: string, authenticated: Authentication = 'trial-header'): Caller {
  const all = { actor, stores: 'all', authenticated } as const;
  if (actor.startsWith(PROGRAM)) return { ...all, kind: 'program', roles: [leadSource] };
  return { ...all, kind: 'person', roles: actor.startsWith(CUSTOMER) ? ['customer'] : staffRoles };
}
