/** Who asks for something: a person, a program with a key of its own, or one of the store's own processes. */
export interface Caller {
  readonly kind: 'person' | 'program' | 'process';
  /** As histories name it: `customer:ID`, `staff:NAME`, `process:NAME`, `system:NAME`. */
  readonly actor: string;
  readonly roles: readonly Role[];
  /** The stores in which the roles hold. */
  readonly stores: 'all' | readonly string[];
}

export const staffRoles = [
  'support',
  'verifier',
  'catalogue-manager',
  'auditor',
  'analyst',
  'operator',
  'administrator',
] as const;

/** What a caller may do follows from its roles. `process` is the store itself, carrying out what it has promised. */
type Role = (typeof staffRoles)[number] | 'customer' | 'lead-source' | 'process';

const CUSTOMER = 'customer:';
const PROGRAM = 'system:';

/** @returns the id of the customer who asks; undefined for everybody else */
export const customerOf = ({ actor }: Caller): string | undefined =>
  actor.startsWith(CUSTOMER) ? actor.slice(CUSTOMER.length) : undefined;

/**
 * Until there is sign-in, the header of a request says who asks: the owner of the machine, a customer of the store, or a
 * program that brings leads.
 */
export function trialCaller(actor: string): Caller {
  const all = { actor, stores: 'all' } as const;
  if (actor.startsWith(PROGRAM)) return { ...all, kind: 'program', roles: ['lead-source'] };
  return { ...all, kind: 'person', roles: actor.startsWith(CUSTOMER) ? ['customer'] : staffRoles };
}
