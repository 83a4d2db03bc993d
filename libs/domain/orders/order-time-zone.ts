import { type Decision, type Refusal, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { timeZone } from '../kernel/fields.ts';
import { isTimeZone } from '../kernel/local-days.ts';
import { type RightsOf, support } from '../kernel/rights.ts';

/** Older versions took names of time zones whose days nobody can count, like PST and IST. */
export const orderTimeZoneEvents = {
  /** DLV-5: the order had a time zone that is not known, so it could receive nothing. */
  OrderTimeZoneCorrected: fact({ timeZone }),
};
type OrderTimeZoneEvent = EventsOf<typeof orderTimeZoneEvents>;

export type OrderTimeZoneCommand = { type: 'CorrectOrderTimeZone'; at: Instant; timeZone: string };

export const orderTimeZoneRights = {
  CorrectOrderTimeZone: support('DLV-5'),
} satisfies RightsOf<OrderTimeZoneCommand, unknown>;

interface InTimeZone {
  readonly timeZone: string;
}

/** Why the days of an order cannot be counted. */
export const refuseUnknownZone = ({ timeZone: name }: InTimeZone): Refusal | undefined =>
  isTimeZone(name)
    ? undefined
    : refuse('time-zone-unknown', `the time zone ${name} is not known: its days cannot be counted`, 'DLV-5');

/** Leads that were counted on a day stay counted on it, so a zone that is known stays. */
export function correctTimeZone(
  { at, timeZone: corrected }: OrderTimeZoneCommand,
  { timeZone: present }: InTimeZone,
): Decision<OrderTimeZoneEvent> {
  if (corrected === present) return [];
  if (isTimeZone(present))
    return refuse('time-zone-known', `the days of the order are those of ${present}, and stay so`, 'DLV-5');
  return (
    refuseUnknownZone({ timeZone: corrected }) ?? [
      { type: 'OrderTimeZoneCorrected', data: { at, timeZone: corrected } },
    ]
  );
}
