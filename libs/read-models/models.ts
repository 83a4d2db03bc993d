import type { AnyModel } from './engine/model.ts';
import { versioned } from './engine/version.ts';
import { UnknownModel } from './errors.ts';
import { coupons } from './models/coupons.ts';
import { customers } from './models/customers.ts';
import { definedCoupons } from './models/defined-coupons.ts';
import { histories } from './models/histories.ts';
import { leads } from './models/leads.ts';
import { mails } from './models/mails.ts';
import { orders } from './models/orders.ts';
import { programmes } from './models/programmes.ts';
import { receipts } from './models/receipts.ts';
import { refunds } from './models/refunds.ts';
import { replacements } from './models/replacements.ts';
import { sales } from './models/sales.ts';
import { tickets } from './models/tickets.ts';
import { webhooks } from './models/webhooks.ts';
import { rowDigests } from './row-digests.ts';

const all: readonly AnyModel[] = [
  customers,
  orders,
  programmes,
  definedCoupons,
  leads,
  coupons,
  refunds,
  receipts,
  replacements,
  tickets,
  mails,
  webhooks,
  histories,
  sales,
];

/** THE list of read models. */
export const models = all.map((model) => versioned(model, rowDigests[model.name] ?? ''));

export const modelNames = models.map(({ name }) => name);

/** @throws UnknownModel */
export function modelOf(name: string) {
  const model = models.find((one) => one.name === name);
  if (!model) throw new UnknownModel(name, modelNames);
  return model;
}

const schemas = new Map(models.flatMap(({ name, tables }) => tables.map((table) => [table, name] as const)));

/** The name of the model that a table belongs to. */
export const modelWith = (table: AnyModel['tables'][number]): string => schemas.get(table) as string;
