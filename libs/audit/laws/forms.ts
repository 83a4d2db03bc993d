/*
 * The forms of what is stored beside the facts, in every version that ever wrote an event. They are written down here, and not
 * taken from the schemas, so that a defect of a schema cannot hide itself.
 */

// biome-ignore lint/suspicious/noExplicitAny: an auditor takes nothing about the contents for granted
type Check = (value: any) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isCount: Check = (value) => Number.isSafeInteger(value) && value >= 0;
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const isInstant: Check = (value) =>
  typeof value === 'string' && INSTANT.test(value) && !Number.isNaN(Date.parse(value));
const ACTOR = /^([a-z]+:)?[A-Za-z0-9][\w.-]{0,63}$/;
const isActor: Check = (value) => typeof value === 'string' && ACTOR.test(value);
const isBox: Check = (value) => isObject(value) && isText(value.keyId) && typeof value.box === 'string';

const AUTHENTICATIONS: ReadonlySet<string> = new Set([
  ...['trial-header', 'cli', 'process', 'signature', 'mail-link'],
  ...['session', 'api-key', 'public-form', 'none'],
]);

const causeFields: Readonly<Record<string, Check>> = {
  commandId: isText,
  correlationId: isText,
  causationId: isText,
  actor: isText,
  authenticated: (value) => AUTHENTICATIONS.has(value),
  authenticatedAs: isActor,
  reason: (value) => typeof value === 'string' || isBox(value),
  basis: (value) => isObject(value) && Object.values(value).every(isCount),
  eventsSeen: isCount,
  effectiveAt: isInstant,
  recordedAt: isInstant,
  lease: (value) => isObject(value) && isText(value.unit) && Number.isSafeInteger(value.token),
  requestHash: isText,
  schemaVersion: (value) => isCount(value) && value > 0,
};

/** In every version. */
const ALWAYS = ['commandId', 'correlationId', 'actor'];

/**
 * Whether the metadata of an event is what one of our versions wrote. Those that say how the actor was authenticated take only ids
 * as actors.
 */
export function isCause(cause: Readonly<Record<string, unknown>>): boolean {
  const { authenticated, actor } = cause;
  return (
    ALWAYS.every((name) => cause[name] !== undefined) &&
    Object.entries(cause).every(([name, value]) => Object.hasOwn(causeFields, name) && causeFields[name]?.(value)) &&
    (authenticated === undefined || isActor(actor))
  );
}

/** Rule → what ranks the claims of that rule. */
const rankOfRule: Readonly<Record<string, string>> = {
  'replacement-owed-longest': 'owedSince',
  'order-served-longest-ago': 'placedAt',
};

/** Whether a decision says by which rule and rank it was made, when, by which policy, and what it had seen. */
// biome-ignore lint/suspicious/noExplicitAny: an auditor takes nothing about the contents for granted
export function isDecision({ rule, rank, decidedAt, eventsSeen, decidedOn, ...decision }: any): boolean {
  return (
    Object.hasOwn(rankOfRule, rule) &&
    isObject(rank) &&
    isInstant(rank[rankOfRule[rule] as string]) &&
    Object.values(rank).every(isInstant) &&
    isInstant(decidedAt) &&
    (eventsSeen === undefined ? isText(decidedOn) : isCount(eventsSeen)) &&
    isCount(decision.decisionIndex) &&
    isCount(decision.policyVersion)
  );
}
