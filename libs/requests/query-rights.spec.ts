import { type Caller, formCaller, trialCaller, visitor } from '#domain/kernel/caller';
import type { OwnerOf } from './owners.ts';
import { type OperationRights, operationRights, type QueryRights, queryRights } from './query-rights.ts';
import type { RequestContext } from './request-tools.ts';

const owner = trialCaller('customer:c1');
const stranger = trialCaller('customer:c2');
const staff = trialCaller('staff:ada');
const staffOf = (...stores: string[]): Caller => ({ ...staff, stores });
const program: Caller = { kind: 'program', actor: 'system:intake', roles: ['lead-source'], stores: 'all' };

/** Everything in these tests belongs to the customer c1. */
const request = {
  customerId: 'c1',
  orderId: 'o1',
  checkoutId: 'k1',
  leadId: 'l1',
  ticketId: 't1',
  replacementId: 'r1',
};
const belongsToTheOwner: OwnerOf = async () => ({ customerId: 'c1', storeId: 's1' });
const nothingExists: OwnerOf = async () => undefined;

type AnyRule = (
  asked: RequestContext & { request: object; ownerOf: OwnerOf },
) => { code: string } | undefined | Promise<{ code: string } | undefined>;

const queries = Object.entries(queryRights).flatMap(([subject, rules]) =>
  Object.entries(rules).map(([name, rule]) => ({ name: `${subject}.${name}`, rule: rule as AnyRule })),
);
const operations = Object.entries(operationRights).map(([name, rule]) => ({ name, rule: rule as AnyRule }));

const refusalOf = async ({ rule }: { rule: AnyRule }, caller: Caller, ownerOf = belongsToTheOwner) =>
  (await rule({ caller, commandId: 'a', reason: 'a complaint', request, ownerOf }))?.code;

async function refused(caller: Caller, table = queries, ownerOf = belongsToTheOwner): Promise<string[]> {
  const codes = await Promise.all(
    table.map(async (line) => [line.name, await refusalOf(line, caller, ownerOf)] as const),
  );
  return codes.flatMap(([name, code]) => (code === undefined ? [] : [`${name}: ${code}`]));
}

describe('the table of queries', () => {
  it('does not compile when a query has no line, or a line has no query', () => {
    const line = () => undefined;
    // @ts-expect-error listVersions is missing
    const incomplete: QueryRights['policy'] = { get: line };
    // @ts-expect-error there is no such query
    const unknown: QueryRights['policy'] = { get: line, listVersions: line, guess: line };
    // @ts-expect-error there is no such request
    const other: QueryRights['orders']['history'] = ({ request: { ticketId } }) => ticketId;
    expect([incomplete, unknown, other]).toHaveLength(3);
  });

  it('refuses nothing to staff of all stores who have all roles', async () => {
    expect(await refused(staff)).toEqual(['refunds.told: process-only']);
  });

  const mayAsk = async (...roles: Caller['roles']) => {
    const names = new Set((await refused({ ...staff, roles })).map((line) => line.split(':')[0]));
    const ofVisitors = new Set((await refused(visitor)).map((line) => line.split(':')[0]));
    return queries.map(({ name }) => name).filter((name) => !names.has(name) && ofVisitors.has(name));
  };

  it('answers each role what it is for', async () => {
    expect(await mayAsk('catalogue-manager')).toEqual([
      'catalogue.listPriceHistory',
      'catalogue.history',
      'coupons.list',
      'coupons.get',
      'leads.verdict',
      'leads.listStock',
      'sessions.list',
      'sessions.listSignIns',
      'factors.get',
    ]);
    expect(await mayAsk('verifier')).toEqual([
      'leads.get',
      'deliveredLeads.list',
      'deliveredLeads.get',
      'returns.list',
      'returns.get',
      'returns.history',
      'sessions.list',
      'sessions.listSignIns',
      'factors.get',
    ]);
    expect(await mayAsk('auditor')).toEqual([
      'catalogue.listPriceHistory',
      'catalogue.history',
      'policy.listVersions',
      'policy.listDecisions',
      'businessMerges.list',
      'coupons.list',
      'coupons.get',
      'coupons.listUses',
      'orders.list',
      'orders.get',
      'orders.history',
      'refunds.list',
      'refunds.get',
      'refunds.disputes',
      'receipts.list',
      'receipts.get',
      'receipts.listTaxHistory',
      'programmes.list',
      'programmes.get',
      'programmes.history',
      'leads.history',
      'returns.list',
      'returns.get',
      'returns.history',
      'sessions.list',
      'sessions.listSignIns',
      'factors.get',
      'attention.list',
      'changes.follow',
      'operations.listDamagedStreams',
    ]);
    expect(await mayAsk('analyst')).toEqual([
      'leads.listStock',
      'sessions.list',
      'sessions.listSignIns',
      'factors.get',
    ]);
    expect(await mayAsk('operator')).toEqual([
      'leads.verdict',
      'leads.listStock',
      'webhooks.list',
      'webhooks.get',
      'sessions.list',
      'sessions.listSignIns',
      'factors.get',
      'attention.list',
      'changes.follow',
      'operations.listParkedItems',
      'operations.listDamagedStreams',
      'operations.listReadModels',
    ]);
    expect(await mayAsk('administrator')).toEqual([
      'policy.listVersions',
      'policy.listDecisions',
      'receipts.listTaxHistory',
      'staff.list',
      'apiKeys.list',
      'sessions.list',
      'sessions.listSignIns',
      'sessions.listOf',
      'factors.get',
      'attention.list',
    ]);
  });

  it('shows and erases a person only with a reason', async () => {
    const withoutReason = async (rule: AnyRule) =>
      rule({ caller: staff, commandId: 'a', request, ownerOf: belongsToTheOwner });
    for (const rule of [queryRights.persons.export, operationRights.erasePerson])
      expect((await withoutReason(rule as AnyRule))?.code).toBe('reason-missing');
  });

  it('refuses staff what is read from the streams of a customer of another store, also the whole history', async () => {
    expect((await refused(staffOf('s2'))).filter((line) => line.endsWith('not-yours'))).toEqual([
      ...ofCustomers,
      'support.listWholeHistory: not-yours',
    ]);
  });

  it('refuses the staff of a store only what belongs to no store', async () => {
    expect(await refused(staffOf('s1'))).toEqual([
      'policy.listDecisions: staff-only',
      'businessMerges.list: staff-only',
      'refunds.told: process-only',
      'leads.history: staff-only',
      'suppressions.listLists: staff-only',
      'persons.export: staff-only',
      'staff.list: administrator-only',
      'apiKeys.list: administrator-only',
      'sessions.listOf: administrator-only',
    ]);
  });

  it('refuses customers what belongs to the store', async () => {
    expect(await refused(owner)).toEqual([
      'catalogue.listPriceHistory: staff-only',
      'catalogue.history: staff-only',
      'policy.listVersions: staff-only',
      'policy.listDecisions: staff-only',
      'businessMerges.list: staff-only',
      'coupons.list: staff-only',
      'coupons.get: staff-only',
      'coupons.listUses: staff-only',
      'refunds.paymentsNamed: support-only',
      'refunds.told: process-only',
      'receipts.listTaxHistory: staff-only',
      'leads.verdict: staff-only',
      'leads.history: staff-only',
      'suppressions.listLists: staff-only',
      'persons.export: support-only',
      'staff.list: administrator-only',
      'apiKeys.list: administrator-only',
      'sessions.listOf: administrator-only',
      'operations.listParkedItems: staff-only',
      'operations.listDamagedStreams: staff-only',
      'operations.listReadModels: staff-only',
    ]);
  });

  const ofCustomers = [
    'leadDelivery.get: not-yours',
    'checkouts.get: not-yours',
    'orders.history: not-yours',
    'programmes.history: not-yours',
    'returns.history: not-yours',
    'support.ticketHistory: not-yours',
  ];

  it('refuses a customer what is read from the streams of another one', async () => {
    expect((await refused(stranger)).filter((line) => line.endsWith('not-yours'))).toEqual(ofCustomers);
  });

  it('answers a lead source the verdicts on its leads, and else what anybody may read', async () => {
    const names = async (caller: Caller) => new Set((await refused(caller)).map((line) => line.split(':')[0]));
    const [ofVisitor, ofProgram] = [await names(visitor), await names(program)];
    expect([...ofVisitor].filter((name) => !ofProgram.has(name))).toEqual([
      'leads.verdict',
      'sessions.list',
      'sessions.listSignIns',
      'factors.get',
    ]);
    expect([...(await names(formCaller('k1')))]).toEqual([...ofProgram]);
  });

  it('answers nobody but what is public', async () => {
    const names = new Set((await refused(visitor)).map((line) => line.split(':')[0]));
    expect(queries.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([
      'catalogue.listStores',
      'catalogue.getStore',
      'catalogue.getStatementDescriptor',
      'catalogue.listLeadTypes',
      'catalogue.getLeadType',
      'catalogue.listPrices',
      'policy.get',
      // Whoever has the link may.
      'orders.getByLink',
      'receipts.listTaxes',
      // The query records the look with a command, whose right refuses it.
      'support.listWholeHistory',
      'operations.getHealth',
      'operations.getReadiness',
      'operations.getMeasurements',
    ]);
    expect(await refused(visitor, queries, nothingExists)).toEqual(await refused(visitor));
  });

  it('does not refuse customers what does not exist: the answer is that it does not exist', async () => {
    expect((await refused(stranger, queries, nothingExists)).filter((line) => line.endsWith('not-yours'))).toEqual([
      'leadDelivery.get: not-yours',
    ]);
  });
});

describe('the table of operations', () => {
  it('does not compile when an operation has no line', () => {
    // @ts-expect-error all others are missing
    const incomplete: OperationRights = { pauseReadModel: () => undefined };
    expect(incomplete).toBeDefined();
  });

  it('allows all of them to staff, and to others only what is about their own sessions', async () => {
    const ofFactors = ['addTotp', 'removeFactor', 'changeOwnPassword', 'proveFactor'];
    const ofPasskeys = ['addPasskey', 'beginPasskey', 'beginPasskeyProof', 'beginPasskeySignIn', 'signInWithPasskey'];
    const ofEverybody = ['signIn', 'endSession', 'endOtherSessions', ...ofFactors, ...ofPasskeys];
    expect(await refused(staff, operations)).toEqual([]);
    const codes: Readonly<Record<string, string>> = {
      ...{ erasePerson: 'support-only', liftSuppressions: 'support-only', decideMissedRenewals: 'support-only' },
      endSessionsOf: 'administrator-only',
    };
    const all = operations
      .filter(({ name }) => !ofEverybody.includes(name))
      .map(({ name }) => `${name}: ${codes[name] ?? 'staff-only'}`);
    for (const caller of [owner, program]) expect(await refused(caller, operations)).toEqual(all);
  });
});
