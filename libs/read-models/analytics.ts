import { couponViews } from './analytics/coupons.ts';
import { deliveryViews } from './analytics/delivery.ts';
import { mailViews } from './analytics/mails.ts';
import { programmeViews } from './analytics/programmes.ts';
import { returnViews } from './analytics/returns.ts';
import { salesViews } from './analytics/sales.ts';
import { supplyViews } from './analytics/supply.ts';
import type { View } from './analytics/view.ts';

/** THE list of what analysts are promised. Days and months are those of UTC. */
export const views: readonly View[] = [
  ...salesViews,
  ...deliveryViews,
  ...supplyViews,
  ...returnViews,
  ...couponViews,
  ...programmeViews,
  ...mailViews,
];
