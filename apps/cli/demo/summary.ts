import { logDigest, rowsDigest } from '#audit/digest';
import { checkLaws, type Verdict } from '#audit/laws/laws';
import { counted, thousands } from '#domain/kernel/counted';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import type { Stores } from '#wiring/stores';
import { printLines } from '../print.ts';
import { brokenIn } from '../verify.ts';

export interface DemoSummary {
  readonly seed: number;
  readonly days: number;
  readonly events: number;
  readonly orders: number;
  readonly leadsReceived: number;
  readonly duplicates: number;
  readonly leadsDelivered: number;
  readonly replacements: {
    readonly requested: number;
    readonly granted: number;
    readonly denied: number;
    readonly goodwill: number;
    readonly corrected: number;
    readonly delivered: number;
  };
  readonly programmes: {
    readonly joined: number;
    readonly renewals: number;
    readonly declined: number;
    /** Too late, because the store stood still; and those of them that were not charged (LOY-10). */
    readonly missed: number;
    readonly skipped: number;
  };
  readonly coupons: { readonly used: number; readonly refused: number };
  readonly refunds: number;
  readonly tickets: { readonly opened: number; readonly overdue: number };
  readonly mails: { readonly sent: number; readonly withheld: number };
  readonly laws: Verdict['laws'];
  readonly decisions: Verdict['decisions'];
  readonly logDigest: string;
  /** Over all rows of all read models, opened. */
  readonly rowsDigest: string;
  /** Time of the simulation, without the checks after it. */
  readonly seconds: number;
  readonly eventsPerSecond: number;
}

const READ_MODELS_MILLISECONDS = 600_000;

/** Waits for the read models, checks the laws and counts. */
export async function summarise(
  { seed, days, seconds }: { seed: number; days: number; seconds: number },
  { events: store, readModels, vault }: Stores,
): Promise<DemoSummary> {
  if (!(await readModels.waitFor(await store.head(), READ_MODELS_MILLISECONDS)))
    throw new Error('the read models did not reach the end of the log in time');
  const { laws, decisions, events } = await checkLaws(store, { hashOf: hashOfEvent });
  const counts = await countTypes(store);
  const count = (type: string) => counts.get(type) ?? 0;
  return {
    seed,
    days,
    events,
    orders: count('OrderPlaced'),
    leadsReceived: count('LeadReceived'),
    duplicates: count('DuplicateReceived'),
    leadsDelivered: count('LeadDelivered'),
    replacements: {
      requested: count('ReplacementRequested'),
      granted: count('ChargebackGranted'),
      denied: count('ChargebackDenied'),
      goodwill: count('GoodwillGranted'),
      corrected: count('VerdictCorrected'),
      delivered: count('ReplacementDelivered'),
    },
    programmes: {
      joined: count('ProgrammeJoined'),
      renewals: count('OrderReopened'),
      declined: count('RenewalDeclined'),
      missed: count('RenewalMissed'),
      skipped: count('RenewalSkipped'),
    },
    coupons: { used: count('CouponUsed'), refused: count('CouponRefused') },
    refunds: count('PaymentRefunded'),
    tickets: { opened: count('TicketOpened'), overdue: count('TicketOverdue') },
    mails: { sent: count('MailSent'), withheld: count('MailWithheld') },
    laws,
    decisions,
    logDigest: await logDigest(store, vault),
    rowsDigest: await rowsDigest(readModels, vault),
    seconds: Number(seconds.toFixed(2)),
    eventsPerSecond: Math.round(events / seconds),
  };
}

async function countTypes(store: EventStore): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for await (const { type } of store.readAll()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

/** @param data the directory that keeps the store; undefined: in memory */
export function printSummary(summary: DemoSummary, data: string | undefined): void {
  for (const [name, value] of rowsOf(summary)) printLines(`${name.padEnd(22)}${value}`);
  const broken = brokenIn(summary);
  printLines(
    broken.length === 0
      ? 'all laws hold'
      : `${counted(broken.length, 'law is', 'laws are')} broken: ${broken.map((law) => `${law} ${summary.laws[law]}`).join(', ')}`,
  );
  if (data !== undefined) printLines('', `The store is in ${data}: npm start -- --data ${data}`);
}

function rowsOf(summary: DemoSummary): [name: string, value: string][] {
  const { replacements, programmes, coupons, tickets, mails, decisions } = summary;
  return [
    ['days', thousands(summary.days)],
    ['seed', String(summary.seed)],
    ['events', thousands(summary.events)],
    ['orders', thousands(summary.orders)],
    ['leads received', `${thousands(summary.leadsReceived)} (and ${thousands(summary.duplicates)} duplicates)`],
    ['leads delivered', thousands(summary.leadsDelivered)],
    ['returns requested', thousands(replacements.requested)],
    ['  granted', thousands(replacements.granted)],
    ['  denied', thousands(replacements.denied)],
    ['  granted as goodwill', thousands(replacements.goodwill)],
    ['  corrected verdicts', thousands(replacements.corrected)],
    ['  replaced', thousands(replacements.delivered)],
    ['programmes joined', thousands(programmes.joined)],
    ['  renewals', `${thousands(programmes.renewals)} (${thousands(programmes.declined)} charges declined)`],
    ['  too late', `${thousands(programmes.missed)} (${thousands(programmes.skipped)} dates skipped)`],
    ['coupons used', `${thousands(coupons.used)} (${thousands(coupons.refused)} refused)`],
    ['refunds', thousands(summary.refunds)],
    ['tickets', `${thousands(tickets.opened)} (${thousands(tickets.overdue)} overdue)`],
    ['mails sent', `${thousands(mails.sent)} (${thousands(mails.withheld)} withheld)`],
    ['decisions repeated', `${thousands(decisions.judged)} (${thousands(decisions.passedOver)} passed over)`],
    ['seconds', `${summary.seconds} (${thousands(summary.eventsPerSecond)} events a second)`],
    ['log digest', summary.logDigest],
    ['rows digest', summary.rowsDigest],
  ];
}
