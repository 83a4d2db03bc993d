import { logDigest, rowsDigest } from '#audit/digest';
import { checkLaws, type Verdict } from '#audit/laws/laws';
import { decode } from '#domain/codec';
import { counted, thousands } from '#domain/kernel/counted';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import type { RowCounts } from '#requests/lead-files/counts';
import type { Stores } from '#wiring/stores';
import { printLines } from '../print.ts';
import { brokenIn } from '../verify.ts';
import type { Life } from './life.ts';
import { SOURCE_OF_FILES } from './odd-files.ts';
import { LOST_ANSWER, REFUSED } from './trouble.ts';

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
  /** Absent in a demo without trouble. */
  readonly trouble?: {
    /** Attempts to send a mail: taken without an answer, and refused for now; and mails that were given up. */
    readonly mails: { readonly unconfirmed: number; readonly refusedForNow: number; readonly givenUp: number };
    readonly calls: { readonly failed: number; readonly accepted: number; readonly parked: number };
    /** Orders whose first charge was declined, or refused for people to look at; or whose answer was lost at first. */
    readonly payments: {
      readonly declined: number;
      readonly refused: number;
      readonly lost: number;
    };
    readonly files: RowCounts & { readonly files: number };
  };
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

interface Simulated {
  readonly seed: number;
  readonly days: number;
  readonly seconds: number;
  readonly trouble?: Life['trouble'];
}

/** Waits for the read models, checks the laws and counts. */
export async function summarise(
  { seed, days, seconds, trouble }: Simulated,
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
    ...(trouble && { trouble: await troubleOf(store, trouble) }),
    laws,
    decisions,
    logDigest: await logDigest(store, vault),
    rowsDigest: await rowsDigest(readModels, vault),
    seconds: Number(seconds.toFixed(2)),
    eventsPerSecond: Math.round(events / seconds),
  };
}

/** Counted in the log, so that a demo that was continued says the same as one that was not. */
async function troubleOf(
  store: EventStore,
  { files, paidWith }: NonNullable<Simulated['trouble']>,
): Promise<NonNullable<DemoSummary['trouble']>> {
  const types = ['MailFailed', 'MailGivenUp', 'WebhookFailed', 'WebhookAccepted', 'WebhookParked', 'PaymentDeclined'];
  const found = { unconfirmed: 0, refusedForNow: 0, taken: 0, duplicate: 0 };
  const counts = new Map<string, number>();
  for await (const recorded of store.readAll({ filter: { types: [...types, 'LeadReceived', 'DuplicateReceived'] } })) {
    const { type, data } = decode(recorded);
    counts.set(type, (counts.get(type) ?? 0) + 1);
    if ('failure' in data && type === 'MailFailed')
      found[data.failure === 'not-confirmed' ? 'unconfirmed' : 'refusedForNow'] += 1;
    if ('source' in data && data.source.startsWith(SOURCE_OF_FILES))
      found[type === 'LeadReceived' ? 'taken' : 'duplicate'] += 1;
  }
  const { taken, duplicate, unconfirmed, refusedForNow } = found;
  const count = (type: string) => counts.get(type) ?? 0;
  const [rows, rejected] = [sumOf(files, 'rows'), sumOf(files, 'rejected')];
  return {
    mails: { unconfirmed, refusedForNow, givenUp: count('MailGivenUp') },
    calls: { failed: count('WebhookFailed'), accepted: count('WebhookAccepted'), parked: count('WebhookParked') },
    payments: {
      declined: count('PaymentDeclined'),
      refused: paidWith.get(REFUSED) ?? 0,
      lost: paidWith.get(LOST_ANSWER) ?? 0,
    },
    files: { files: files.length, rows, taken, known: rows - taken - duplicate - rejected, duplicate, rejected },
  };
}

const sumOf = (files: readonly RowCounts[], name: keyof RowCounts): number =>
  files.reduce((sum, counts) => sum + counts[name], 0);

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
    ...(summary.trouble ? rowsOfTrouble(summary.trouble) : []),
    ['decisions repeated', `${thousands(decisions.judged)} (${thousands(decisions.passedOver)} passed over)`],
    ['seconds', `${summary.seconds} (${thousands(summary.eventsPerSecond)} events a second)`],
    ['log digest', summary.logDigest],
    ['rows digest', summary.rowsDigest],
  ];
}

const rowsOfTrouble = ({
  mails,
  calls,
  payments,
  files,
}: NonNullable<DemoSummary['trouble']>): [name: string, value: string][] => [
  [
    'trouble with mails',
    `${thousands(mails.unconfirmed)} taken without an answer, ${thousands(mails.refusedForNow)} refused for now, ${thousands(mails.givenUp)} given up`,
  ],
  [
    '  with programs',
    `${thousands(calls.failed)} calls answered 500, ${thousands(calls.accepted)} accepted, ${thousands(calls.parked)} parked`,
  ],
  [
    '  with payments',
    `${thousands(payments.declined)} declined, ${thousands(payments.lost)} answers lost and asked for again, ${thousands(payments.refused)} refused, which wait for people`,
  ],
  [
    '  with files',
    `${thousands(files.rows)} rows of ${counted(files.files, 'odd file')}: ${thousands(files.taken)} taken, ${thousands(files.known)} known, ${thousands(files.duplicate)} duplicates, ${thousands(files.rejected)} rejected`,
  ],
];
