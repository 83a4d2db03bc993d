import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli } from './program.ts';

/* What an accountant sees: the receipts of a demo beside the report of a payment provider. */

let temporary: string;
let data: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-reconcile-'));
  data = join(temporary, 'demo');
  expect((await cli('demo', '--days', '5', '--data', data)).code).toBe(0);
});
afterAll(() => rm(temporary, { recursive: true }));

interface Issued {
  readonly kind: string;
  readonly reference: string;
  readonly paidAt: string;
  readonly amountCents: number;
}

const HEADER =
  'balance_transaction_id,created_utc,created,currency,gross,fee,net,reporting_category,source_id,payment_intent_id';

async function receipts(): Promise<readonly Issued[]> {
  const { stdout } = await cli('export', '--data', data);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; data: Issued });
  return events.filter(({ type }) => type === 'ReceiptIssued').map((event) => event.data);
}

const categories: Readonly<Record<string, string>> = { 'refund-returned': 'refund_failure' };

const rowOf = ({ kind, reference, paidAt, amountCents }: Issued, index: number): string => {
  const at = paidAt.slice(0, 19).replace('T', ' ');
  const isCharge = kind === 'charge';
  const gross = ((isCharge ? amountCents : -amountCents) / 100).toFixed(2);
  return `txn_${index},${at},${at},usd,${gross},0.30,${gross},${categories[kind] ?? kind},${isCharge ? `ch_${index}` : reference},${isCharge ? reference : ''}`;
};

async function reconcile(rows: readonly string[], ...options: readonly string[]) {
  const file = join(temporary, 'report.csv');
  await writeFile(file, rows.join('\n'));
  return cli('reconcile', file, '--data', data, ...options);
}

test('CHK-8: leadger reconcile agrees with the report of what was charged, and lists each difference', async () => {
  const all = await receipts();
  expect(all.length).toBeGreaterThan(2);
  const rows = all.map(rowOf);
  const fee = 'txn_fee,2026-03-01 10:00:00,2026-03-01 10:00:00,usd,-1.00,0,-1.00,fee,fee_1,';
  const same = await reconcile([HEADER, ...rows]);
  expect(same).toMatchObject({ code: 0, stderr: '' });
  expect(same.stdout).toContain(`${all.length} receipts agree; 0 differences`);
  expect(same.stdout).not.toContain('DIFFER');

  const [first, ...others] = all as [Issued, ...Issued[]];
  const wrong = rowOf({ ...first, amountCents: first.amountCents + 1 }, 0);
  const unknown = rowOf({ ...first, reference: 'pi_unknown' }, 999);
  const changed = await reconcile([
    HEADER,
    wrong,
    unknown,
    fee,
    ...others.slice(1).map((one, index) => rowOf(one, index + 2)),
  ]);
  expect(changed.code).toBe(1);
  for (const text of ['differs:', 'only there:', 'only here:', 'DIFFER', 'fee (1)', '3 differences'])
    expect(changed.stdout).toContain(text);
  const json = await reconcile([HEADER, ...rows, unknown], '--json');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ agreeing: all.length, differences: [{ what: 'only-there' }] });
});

test('CHK-8: leadger reconcile cancels out a refund that the provider refused after it was created, and names one with a wrong sign', async () => {
  const rows = (await receipts()).map(rowOf);
  const of = (category: string, gross: string, at = '2026-03-01 10:00:00') =>
    `txn_${category}_${gross},${at},${at},usd,${gross},0,${gross},${category},re_refused,`;
  const refused = await reconcile([HEADER, ...rows, of('refund', '-11.00'), of('refund_failure', '11.00')]);
  expect(refused.code).toBe(0);
  expect(refused.stdout).toContain('1 refund was refused by the provider after all, and cancelled out');
  expect(refused.stdout).not.toMatch(/DIFFER|not compared/);
  const wrong = await reconcile([HEADER, ...rows, of('refund', '11.00'), of('refund_failure', '11.00')]);
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toContain('2 differences');
});

test('CHK-8: leadger reconcile takes several reports, so that a refund is cancelled out which the provider refused in the next month', async () => {
  const all = await receipts();
  const days = all.map(({ paidAt }) => paidAt.slice(0, 10)).sort() as [string, ...string[]];
  const last = days.at(-1) as string;
  const period = ['--from', days[0], '--to', last];
  const of = (category: string, gross: string, day: string) =>
    `txn_${category},${day} 23:00:00,x,usd,${gross},0,${gross},${category},re_refused,`;
  const rows = [...all.map(rowOf), of('refund', '-11.00', last)];
  const alone = await reconcile([HEADER, ...rows], ...period);
  expect(alone.code).toBe(1);
  expect(alone.stdout).toContain(`only there: refund txn_refund of ${last}`);
  expect(alone.stdout).toContain('give the reports of the other months, too');
  const later = join(temporary, 'later.csv');
  await writeFile(later, [HEADER, rows.at(-1), of('refund_failure', '11.00', '9998-01-05')].join('\n'));
  const both = await reconcile([HEADER, ...rows], later, ...period);
  expect(both).toMatchObject({ code: 0, stderr: '' });
  expect(both.stdout).toContain('1 refund was refused by the provider after all, and cancelled out');
  expect(both.stdout).not.toMatch(/DIFFER|only there|outside/);
  await writeFile(later, [HEADER, String(rows.at(-1)).replace('-11.00', '-12.00')].join('\n'));
  expect((await reconcile([HEADER, ...rows], later)).stderr).toMatch(/later\.csv, line 2: txn_refund is there before/);
});

test('CHK-8: leadger reconcile hints at the report of another month where only the failure of a refund is there', async () => {
  const rows = (await receipts()).map(rowOf);
  const failure = 'txn_failure,2026-03-01 10:00:00,x,usd,11.00,0,11.00,refund_failure,re_refused,';
  const { code, stdout } = await reconcile([HEADER, ...rows, failure]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/only there: returned refund txn_failure/);
  expect(stdout).toMatch(/give the reports of the other months, too/);
});

test('CHK-8: leadger reconcile counts a line that is not compared once, in however many reports it is', async () => {
  const rows = (await receipts()).map(rowOf);
  const fee = (id: string) => `${id},2026-03-01 10:00:00,x,usd,-1.00,0,-1.00,fee,fee_1,`;
  const other = join(temporary, 'other.csv');
  await writeFile(other, [HEADER, fee('txn_fee_2'), fee('txn_fee_3'), fee('')].join('\n'));
  const { stdout } = await reconcile([HEADER, ...rows, fee('txn_fee_1'), fee('txn_fee_2'), fee('')], other);
  expect(stdout).toContain('not compared: fee (5)');
});

test('CHK-8: leadger reconcile notices what is missing at the ends of the period that was asked for', async () => {
  const all = await receipts();
  const days = all.map(({ paidAt }) => paidAt.slice(0, 10)).sort() as [string, ...string[]];
  const [first, last] = [days[0], days.at(-1) as string];
  const rows = all.map(rowOf);
  const whole = ['--from', first, '--to', last] as const;
  expect(await reconcile([HEADER, ...rows], ...whole)).toMatchObject({ code: 0 });
  const withoutLastDay = rows.filter((_, index) => all[index]?.paidAt.slice(0, 10) !== last);
  const missing = await reconcile([HEADER, ...withoutLastDay], ...whole);
  expect(missing.code).toBe(1);
  expect(missing.stdout).toContain('only here:');
  const empty = await reconcile([HEADER], ...whole);
  expect(empty.code).toBe(1);
  expect(empty.stdout).toContain(`0 receipts agree; ${all.length} differences`);
  // Nothing differs, and nothing was compared: it may be the wrong file.
  const nothing = await reconcile([HEADER], '--to', '2001-01-31');
  expect(nothing.code).toBe(1);
  expect(nothing.stdout).toContain('NO LINE of the report is within the period');
  const unknown = await reconcile([HEADER]);
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toMatch(/no lines, so nobody knows its period: add --from and --to/);
  for (const [from, message] of [
    ['2026-02-30', /--from 2026-02-30 is no day of the calendar/],
    ['9999-01-01', /--from 9999-01-01 is after --to/],
  ] as const)
    expect((await reconcile([HEADER], '--from', from, '--to', last)).stderr).toMatch(message);
});

test('CHK-8: leadger reconcile counts the lines outside the period, and fails when no line is within', async () => {
  const all = await receipts();
  const days = all.map(({ paidAt }) => paidAt.slice(0, 10)).sort() as [string, ...string[]];
  const rows = all.map(rowOf);
  const early = 'txn_early,2001-01-05 10:00:00,x,usd,77.00,0,77.00,charge,ch_early,pi_early';
  const fee = 'txn_fee,2001-01-05 10:00:00,x,usd,-1.00,0,-1.00,fee,fee_1,';
  const one = await reconcile([HEADER, early, fee, ...rows], '--from', days[0]);
  expect(one).toMatchObject({ code: 0, stderr: '' });
  expect(one.stdout).toContain('1 line is outside the period, and not compared');
  const wrongMonth = await reconcile([HEADER, ...rows], '--from', '9999-01-01');
  expect(wrongMonth.code).toBe(1);
  expect(wrongMonth.stdout).toContain(`${all.length} lines are outside the period`);
  expect(wrongMonth.stdout).toContain('NO LINE of the report is within the period');
  const json = await reconcile([HEADER, ...rows], '--json', '--to', '2001-01-31');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ linesOutside: all.length, noLineInside: true, differences: [] });
  // Nothing to compare is of that month, but the report is.
  expect(await reconcile([HEADER, fee, ...rows], '--to', '2001-01-31')).toMatchObject({ code: 0 });
});

test.each<[string, readonly string[], RegExp]>([
  ['nothing in it', [''], /report\.csv is empty/],
  ['a byte order mark only', ['\ufeff'], /report\.csv is empty/],
  ['other columns', ['a,b,c', '1,2,3'], /no column balance_transaction_id/],
  ['a column twice', [`${HEADER},gross`, ''], /gross twice/],
  [
    'an amount that is none',
    [HEADER, 'txn_1,2026-03-01 10:00:00,x,usd,1e9,0,0,charge,ch_1,pi_1'],
    /line 2: the amount/,
  ],
  [
    'a currency that is none',
    [HEADER, 'txn_1,2026-03-01 10:00:00,x,__proto__,1,0,0,charge,ch_1,pi_1'],
    /line 2: the amount/,
  ],
  [
    'an id that acts on terminals',
    [HEADER, 'txn_1,2026-03-01 10:00:00,x,usd,1,0,0,charge,\u001b[2J,pi_1'],
    /source_id is no id/,
  ],
  ...['2026-13-01 00:00:00', '2026-02-30 00:00:00', '2026-03-01 25:00:00'].map(
    (at): [string, readonly string[], RegExp] => [
      `the instant ${at}`,
      [HEADER, `txn_1,${at},x,usd,1,0,0,charge,ch_1,pi_1`],
      /line 2: created_utc is no instant/,
    ],
  ),
  ['a day that is none', [HEADER, 'txn_1,yesterday,x,usd,1,0,0,charge,ch_1,pi_1'], /created_utc is no instant/],
  ['too few cells', [HEADER, 'txn_1,2026-03-01'], /cannot be read/],
  ['a quote that is never closed', [HEADER, `"txn_1,${'x'.repeat(400_000)}`], /cannot be read/],
  [
    'one line with two values',
    [HEADER, ...['1', '2'].map((amount) => `txn_1,2026-03-01 10:00:00,x,usd,${amount},0,0,charge,ch_1,pi_1`)],
    /report\.csv, line 3: txn_1 is there before/,
  ],
])('CHK-8: a file with %s is refused in one line', async (_, rows, message) => {
  const { code, stderr, stdout } = await reconcile(rows);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('CHK-8: a file that is not there is refused in one line', async () => {
  const { code, stderr } = await cli('reconcile', join(temporary, 'none.csv'), '--data', data);
  expect(code).toBe(1);
  expect(stderr).toMatch(/none\.csv cannot be read/);
});
