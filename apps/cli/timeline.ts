import { type History, replayHistory } from '#audit/history';
import type { ReplayOptions } from '#audit/replay';
import { couponStream } from '#domain/coupons/coupon';
import { parseInstant } from '#domain/kernel/instants';
import { type FamilyName, ledger } from '#domain/ledger';
import { hashOfEvent } from '#event-store/event-hash';
import { toldVersions } from '#requests/policy-history';
import { openForReading, type StoreLocation } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { ordersOfCoupon, tellCouponOrders } from './coupon-orders.ts';
import { printJson, printLines } from './print.ts';
import { tellEvent } from './words.ts';

/**
 * Prints all events of one stream, and its state at an instant.
 * @throws CommandFailed for an unknown family or id, or an instant without zone
 */
export async function timeline(
  location: StoreLocation,
  family: string,
  id: string,
  { at, json = false }: { at?: string; json?: boolean },
): Promise<void> {
  if (!Object.hasOwn(ledger, family))
    throw new CommandFailed(`there is no timeline of "${family}": choose one of ${Object.keys(ledger).join(', ')}`);
  const until = at === undefined ? undefined : parseInstant(at);
  if (at !== undefined && until === undefined)
    throw new CommandFailed(`--at ${at} is not an instant with a zone, like 2026-05-01T09:30:00-04:00`);

  const stores = await openForReading(location);
  try {
    await stores.events.damages?.searched();
    const upTo = until && { at: until };
    const { stream, history } = await historyOf(stores, family as FamilyName, id, { hashOf: hashOfEvent, ...upTo });
    if (!history) throw new CommandFailed(`there is no ${family} ${id}${until ? ` at ${until}` : ''}`);
    const orders = family === 'coupon' ? await ordersOfCoupon(stores.events, history, { ...upTo }) : undefined;
    if (json) printJson({ stream, ...upTo, ...history, ...(orders && { orders }) });
    else print(`${family} ${id}`, until, history, family === 'policy' ? policyChanges(history) : []);
    if (orders && !json) printLines('', 'orders', ...tellCouponOrders(orders).map((line) => `      ${line}`));
  } finally {
    await stores.close();
  }
}

type Stores = Parameters<typeof replayHistory>[0];

/** A coupon is known by its code; the name of its stream is made of it. */
async function historyOf(stores: Stores, family: FamilyName, id: string, options: ReplayOptions) {
  const streams = family === 'coupon' ? [couponStream(id), `coupon-${id}` as const] : [`${family}-${id}` as const];
  for (const stream of streams) {
    const history = await replayHistory(stores, stream, options);
    if (history) return { stream, history };
  }
  return { stream: streams[0] };
}

const POLICY_WIDTH = 'policy 99'.length;

const tellBasis = (basis: Readonly<Record<string, number>>): string =>
  Object.entries(basis)
    .map(([name, last]) => `${name}@${last}`)
    .join(', ');

const tellValue = (value: unknown): string => (value === null ? 'none' : JSON.stringify(value));

/** What each version changed, but the first one, which is whole and in the state. */
const policyChanges = ({ events }: History): readonly (readonly string[])[] =>
  toldVersions(events).map(({ version, changes }) =>
    changes.filter(() => version > 1).map(({ field, from, to }) => `${field}: ${tellValue(from)} → ${tellValue(to)}`),
  );

function print(
  title: string,
  at: string | undefined,
  { events, state, damaged }: History,
  details: readonly (readonly string[])[],
): void {
  const typeWidth = Math.max(0, ...events.map(({ type }) => type.length));
  const actorWidth = Math.max(0, ...events.map(({ actor }) => actor.length));
  printLines(`${title}, ${at ? `as of ${at}` : 'to the end'}`, '');
  if (damaged !== undefined) printLines(`DAMAGED: ${damaged}. What is left of it in the log:`, '');
  for (const [index, event] of events.entries()) {
    const { revision, type, at, actor, reason, policyVersion, basis, eventsSeen, data } = event;
    const policy = policyVersion === undefined ? '' : `policy ${policyVersion}`;
    const seen = eventsSeen === undefined ? '' : `after event ${eventsSeen}`;
    printLines(
      `${String(revision).padStart(4)}  ${at}  ${type.padEnd(typeWidth)}  ${actor.padEnd(actorWidth)}  ${policy.padEnd(POLICY_WIDTH)}  ${seen}`.trimEnd(),
      `      ${tellEvent(type, data)}`,
      ...(details[index] ?? []).map((detail) => `      ${detail}`),
      ...(reason ? [`      because: ${typeof reason === 'string' ? reason : Object.keys(reason).join()}`] : []),
      ...(basis ? [`      knowing: ${tellBasis(basis)}`] : []),
    );
  }
  if (damaged === undefined) printState(state);
  else printLines('', 'a damaged stream has no state: see leadger damaged');
}

function printState(state: unknown): void {
  printLines('', 'state');
  const lines = [...flatten(state)];
  const nameWidth = Math.max(...lines.map(([name]) => name.length));
  for (const [name, value] of lines) printLines(`      ${name.padEnd(nameWidth)}  ${value}`);
}

/** `terms.quantity  5`: one line for each value, at any depth. */
function* flatten(value: unknown, name = ''): Generator<[name: string, value: string]> {
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
    yield [name, value.length === 0 ? 'none' : value.join(', ')];
  else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value);
    if (members.length === 0) yield [name, 'none'];
    for (const [key, member] of members) yield* flatten(member, name ? `${name}.${key}` : key);
  } else if (value !== undefined) yield [name, value === '' ? 'none' : String(value)];
}
