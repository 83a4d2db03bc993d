import type { Instant } from '../kernel/events.ts';
import type { PolicyChanges, PolicyDocument } from './policy.ts';

/** A version as it was published: a whole policy, or the fields that it changes (POL-2). */
export interface Publication {
  /** When it was published. */
  readonly at: Instant;
  readonly version: number;
  readonly author: string;
  readonly effectiveFrom: Instant;
  readonly policy?: PolicyDocument | undefined;
  readonly changes?: PolicyChanges | undefined;
}

export interface PolicyVersion extends Publication {
  /** The whole policy from its instant. What is planned may still change by versions that take effect before it. */
  readonly policy: PolicyDocument;
}

/** As versions take effect: by instant; of several for one instant, the one published later is the later one. */
const inOrderOfEffect = <One extends Publication>(versions: readonly One[]): readonly One[] =>
  versions.toSorted((a, b) =>
    a.effectiveFrom === b.effectiveFrom ? a.version - b.version : a.effectiveFrom < b.effectiveFrom ? -1 : 1,
  );

/**
 * The versions with one more, in the order of their publication. A version changes only the fields that it names, so the
 * policies of versions that take effect after the new one are put together again.
 */
export function withPublication(versions: readonly PolicyVersion[], published: Publication): readonly PolicyVersion[] {
  let before: PolicyDocument | undefined;
  const all = inOrderOfEffect<Publication>([...versions.map(asPublished), published]).map((one) => {
    before = applied(one.policy ?? before, one.changes);
    return { ...one, policy: before };
  });
  return all.sort((a, b) => a.version - b.version);
}

/** The new version, and those of later instants that go by it, until one that is whole. Only those that ever hold. */
export function versionsReachedBy(
  published: Publication,
  versions: readonly PolicyVersion[],
): readonly PolicyVersion[] {
  const inOrder = inOrderOfEffect(withPublication(versions, published));
  const holding = inOrder.filter(({ effectiveFrom }, index) => inOrder[index + 1]?.effectiveFrom !== effectiveFrom);
  const [first, ...later] = holding.slice(holding.findIndex(({ version }) => version === published.version));
  const nextWhole = later.findIndex(({ changes }) => !changes);
  return [first as PolicyVersion, ...(nextWhole < 0 ? later : later.slice(0, nextWhole))];
}

function asPublished({ policy, ...version }: PolicyVersion): Publication {
  return version.changes === undefined ? { ...version, policy } : version;
}

function applied(policy: PolicyDocument | undefined, changes: PolicyChanges = {}): PolicyDocument {
  const changed = Object.entries({ ...policy, ...changes }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(changed) as PolicyDocument;
}

/** What would hold from the instant of a version without it. Undefined: nothing. */
export function policyBefore(
  versions: readonly PolicyVersion[],
  { version }: PolicyVersion,
): PolicyDocument | undefined {
  const inOrder = inOrderOfEffect(versions);
  return inOrder[inOrder.findIndex((one) => one.version === version) - 1]?.policy;
}

/** The fields in which a policy differs from another one. */
export function changesBetween(before: PolicyDocument, after: PolicyDocument): PolicyChanges {
  const fields = Object.keys({ ...before, ...after }) as (keyof PolicyDocument)[];
  const changed = fields.filter((field) => !sameValue(before[field], after[field]));
  return Object.fromEntries(changed.map((field) => [field, after[field] ?? null]));
}

/** The order of the names in an object makes no difference. */
function sameValue(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, sorted(member)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
