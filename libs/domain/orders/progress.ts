import type { LocalDay } from '../kernel/local-days.ts';

/** How many leads were ordered and delivered, replacements aside (ORD-6), and how many of them on one day. */
export interface OrderProgress {
  /** Ordered and bonus leads, of the first order and of all renewals. */
  orderedLeads: number;
  deliveredLeads: number;
  /** The latest local day with a delivery, and the number of deliveries on it (DLV-5). */
  readonly day: { localDay: LocalDay; deliveredLeads: number };
}

export const noProgress = (): OrderProgress => ({
  orderedLeads: 0,
  deliveredLeads: 0,
  day: { localDay: '', deliveredLeads: 0 },
});

/**
 * A clock that was set back must not begin a day again: a delivery on a day before the latest one counts towards the
 * latest one.
 */
export function countOnDay(progress: OrderProgress, localDay: LocalDay): void {
  const { day } = progress;
  day.deliveredLeads = deliveredOn(progress, localDay) + 1;
  if (localDay > day.localDay) day.localDay = localDay;
}

export const deliveredOn = ({ day }: OrderProgress, localDay: LocalDay): number =>
  localDay > day.localDay ? 0 : day.deliveredLeads;

/** `underWay`: leads assigned and not yet delivered. They count until the delivery is refused. */
export const hasAllLeads = ({ orderedLeads, deliveredLeads }: OrderProgress, underWay = 0): boolean =>
  deliveredLeads + underWay >= orderedLeads;

/** Whether the order has its daily maximum (DLV-5). Orders of fresh and aged leads have none. */
export const isFullOn = (
  localDay: LocalDay,
  progress: OrderProgress,
  dailyMaximum: number | undefined,
  underWay = 0,
): boolean => dailyMaximum !== undefined && deliveredOn(progress, localDay) + underWay >= dailyMaximum;
