import { type StaffRole, staffRoles } from '#domain/kernel/caller';
import { addMember, bearer, endTrial, keptMails, PASSWORD, signInto } from '#test/acceptance/staff';
import { exampleBody, type Json, type Operation, readDocument } from '#test/e2e/api-document';
import { type Server, startServer } from '#test/e2e/server';

/*
 * Every route with every caller, on what belongs to somebody else. The routes are read from the running program: one without a line
 * below fails, and so does a path with an id of which nothing foreign is known.
 */

/** For everybody, also without sign-in. What a link in a mail opens, its token protects. */
const OPEN = [
  ...['listStores', 'getStore', 'getStatementDescriptor', 'listLeadTypes', 'getLeadType', 'listPrices', 'getPolicy'],
  ...['listTaxes', 'getHealth', 'getLiveness', 'getReadiness', 'getMetrics'],
  ...['registerCustomer', 'requestPasswordRecovery', 'unsubscribe', 'suppress', 'beginPasskeySignIn'],
];

/** Whoever signed in gets what is visible: nothing foreign is in it. */
const LISTS = [
  ...[
    'listCustomers',
    'listOrders',
    'listRefunds',
    'listDisputes',
    'listReceipts',
    'listProgrammes',
    'listReplacements',
  ],
  ...[
    'listMails',
    'listWebhooks',
    'listTickets',
    'listAttention',
    'listStock',
    'listSessions',
    'listSignIns',
    'getFactors',
  ],
];

/** About the own account: nothing foreign is in it. */
const OF_THEMSELVES = [
  ...[
    'listSessions',
    'listSignIns',
    'getFactors',
    'offerTotp',
    'issueRecoveryCodes',
    'beginPasskey',
    'beginPasskeyProof',
  ],
];

/** For lead sources, and for who looks after the stock. */
const BRINGING_LEADS = ['receiveLead', 'receiveLeadBatch', 'getLeadVerdict'];

const ORDERS = ['listOrders', 'getOrder', 'getOrderHistory', 'listRefunds', 'getRefund', 'listDisputes'];
const PROGRAMMES = ['listProgrammes', 'getProgramme', 'getProgrammeHistory'];
const RETURNS = ['listReplacements', 'getReplacement', 'getReplacementHistory'];
const VERDICTS = ['grantReplacement', 'denyReplacement', 'correctReplacement'];
const COUPONS = ['listCoupons', 'getCoupon'];
const OF_THE_CATALOGUE = ['getCatalogueHistory', 'listPriceHistory'];

/** What a role is for, besides what is open. */
const BY_ROLE: Readonly<Record<StaffRole, readonly string[]>> = {
  support: [
    ...[...ORDERS, ...PROGRAMMES, ...RETURNS, ...VERDICTS, ...COUPONS, 'listCouponUses', 'giveAlternativeCoupon'],
    ...['placeOrder', 'pauseOrder', 'restartOrder', 'cancelOrder', 'changeDailyMaximum', 'correctTimeZone'],
    ...['changePaymentCard', 'resolvePayment', 'giveBack', 'retryRefund', 'settleRefund'],
    ...['listReceipts', 'getReceipt', 'getReceiptPage', 'getReceiptPdf'],
    ...['holdProgramme', 'activateProgramme', 'cancelProgramme'],
    ...['releaseMissedRenewal', 'skipMissedRenewal', 'releaseMissedRenewals', 'skipMissedRenewals'],
    ...['startCheckout', 'quoteCheckout', 'getCheckout', 'useCoupon', 'placeCheckout'],
    ...['mergeBusinesses', 'listBusinessMerges', 'takeBusinessMergeBack'],
    ...['listCustomers', 'getCustomer', 'changeBusinessAssociation', 'changeTimeZone', 'changeName'],
    ...['changePostalAddress', 'requestEmailChange', 'setPassword', 'changeMailPreferences'],
    'resetCustomerFactors',
    ...['getLeadDelivery', 'chooseLeadDelivery', 'listDeliveredLeads', 'getDeliveredLead', 'downloadDeliveredLeads'],
    ...['rateContact', 'getLead', 'getLeadHistory', 'listStock', 'requestReplacement', 'grantGoodwill'],
    ...['listMails', 'getMail', 'retryMail', 'acknowledgeMailFailure', 'listWebhooks', 'getWebhook', 'retryWebhook'],
    ...['listTickets', 'openTicket', 'getTicket', 'answerTicket', 'addTicketMessage', 'takeUpLetter', 'closeTicket'],
    ...['getTicketHistory', 'listWholeHistory', 'exportPerson', 'erasePerson', 'listAttention'],
    ...['suppressBatch', 'listSuppressionLists', 'liftSuppressions'],
  ],
  verifier: [
    ...[...RETURNS, ...VERDICTS, 'getLead', 'listDeliveredLeads', 'getDeliveredLead'],
    // Lists of persons come from staff and programs.
    'suppressBatch',
  ],
  'catalogue-manager': [
    ...BRINGING_LEADS,
    ...['openStore', 'renameStore', 'changeWebAddress', 'setStatementDescriptor', 'defineLeadType', 'renameLeadType'],
    ...['changeUsualDelivery', 'changeLoyaltyQualification', 'retireLeadType', 'reopenLeadType', 'setPrice'],
    ...[...OF_THE_CATALOGUE, ...COUPONS, 'defineCoupon', 'retireCoupon', 'reopenCoupon', 'listStock', 'suppressBatch'],
  ],
  auditor: [
    ...[...OF_THE_CATALOGUE, ...COUPONS, 'listCouponUses', 'listPolicyVersions', 'listPolicyDecisions'],
    ...['listBusinessMerges', ...ORDERS, ...PROGRAMMES, ...RETURNS, 'listReceipts', 'getReceipt', 'listTaxHistory'],
    ...['getLeadHistory', 'listWholeHistory', 'listAttention', 'listDamagedStreams', 'suppressBatch'],
  ],
  analyst: ['listStock', 'suppressBatch'],
  operator: [
    ...BRINGING_LEADS,
    ...['listStock', 'listWebhooks', 'getWebhook', 'listAttention', 'listDamagedStreams', 'suppressBatch'],
    ...['listParkedItems', 'retryParkedItem', 'listReadModels', 'pauseReadModel', 'resumeReadModel'],
    ...['retryReadModel', 'rebuildReadModel', 'cancelReadModelRebuild'],
  ],
  administrator: [
    ...[
      'listAttention',
      'listPolicyVersions',
      'listPolicyDecisions',
      'publishPolicy',
      'setTaxes',
      'listTaxHistory',
      'suppressBatch',
    ],
    ...['addStaffMember', 'listStaffMembers', 'changeStaffRoles', 'inviteStaffMember', 'removeStaffMember'],
    ...['issueApiKey', 'listApiKeys', 'rotateApiKey', 'revokeApiKey', 'resetFactors'],
    ...['listSessionsOfMember', 'endSessionsOfMember', 'listSessionsOfCustomer', 'endSessionsOfCustomer'],
  ],
};

/** For nobody but its customer, whoever has a link, the first account, or a page of the form. */
const FOR_NOBODY_HERE = [
  'sendLeadForm',
  ...['confirmEmailChange', 'completePasswordRecovery', 'acceptInvitation', 'getLinkedOrder', 'cancelLinkedOrder'],
  ...['endSession', 'removeFactor', 'addFirstAdministrator', 'getMailCopy'],
];

const OUTSIDERS = ['another customer', 'staff of another store'];

/** They end the session that asks, go on with another one, or never end. Other tests have them. */
const NOT_CALLED = [
  ...['signIn', 'signOut', 'endOtherSessions', 'followFeed'],
  ...['changeStaffPassword', 'confirmTotp', 'proveFactor', 'addPasskey', 'signInWithPasskey'],
];

type Headers = Record<string, string>;

let server: Server;
let operations: readonly Operation[];
let document: Json;
const mails = keptMails();
/** Parameter of a path, or field of a body → the id of something that belongs to the other customer, at the other store. */
const foreign: Record<string, string> = {};
const callers: { name: string; headers: Headers; may: readonly string[] }[] = [];

const reason = { 'leadger-reason': 'a test' };
const created = async (path: string, idName: string, body: Json): Promise<string> => {
  const reply = await server.call('POST', path, body, reason);
  if (reply.status !== 201) throw new Error(`POST ${path} was answered ${reply.status}: ${reply.text}`);
  await server.settle();
  return reply.body[idName];
};
const first = async (path: string, idName: string): Promise<string> =>
  (await server.call('GET', `${path}&waitFor=${await server.position()}`)).body.items[0][idName];

async function customerAt(storeId: string, email: string): Promise<string> {
  const account = { storeId, businessAssociation: email, timeZone: 'UTC', email, password: PASSWORD };
  const customerId = await created('/api/customers', 'customerId', account);
  const proof = { token: mails.tokenTo(email) };
  await server.call('POST', `/api/customers/${customerId}/email/confirm`, proof);
  return customerId;
}

/** One of each thing that a customer has. */
async function learnForeign(): Promise<void> {
  const store = { storeId: 'other', name: 'Other', webAddress: 'https://other.example' };
  foreign.storeId = await created('/api/stores', 'storeId', store);
  await server.call('PUT', '/api/statement-descriptor', { statementDescriptor: 'LEADS' }, reason);
  const limits = { smallestOrder: 1, largestOrder: 100, currency: 'USD', pricePerLeadCents: 100 };
  await server.call('POST', '/api/prices', { storeId: 'other', leadTypeId: 'exclusive-fresh', ...limits }, reason);
  const customerId = await customerAt('other', 'foreign@example.org');
  const delivery = { mails: 'each', webhookUrl: 'http://127.0.0.1:9/leads' };
  await server.call('PUT', `/api/customers/${customerId}/lead-delivery`, delivery, reason);
  const wishes = { customerId, leadTypeId: 'exclusive-fresh', quantity: 4 };
  const orderId = await created('/api/orders', 'orderId', {
    ...wishes,
    loyalty: { cadence: 'weekly' },
    paymentToken: 'tok_ok',
  });
  const lead = { leadTypeId: 'exclusive-fresh', source: 'page', contact: { telephone: '+1 212 555 0181' } };
  const leadId = await created('/api/leads', 'leadId', lead);
  Object.assign(foreign, { customerId, orderId, leadId, leadTypeId: 'shared-aged', version: '1' });
  foreign.checkoutId = await created('/api/checkouts', 'checkoutId', wishes);
  foreign.replacementId = await created('/api/replacements', 'replacementId', {
    orderId,
    leadId,
    reason: 'wrong number',
  });
  foreign.ticketId = await created('/api/tickets', 'ticketId', { customerId, subject: 'Leads', message: 'Where?' });
  foreign.refundId = await created(`/api/orders/${orderId}/refunds`, 'refundId', { amountCents: 100 });
  await created('/api/coupons', 'couponCode', {
    couponCode: 'SEEN',
    storeIds: ['other'],
    discount: { percent: 5 },
  });
  foreign.couponId = await first('/api/coupons?limit=1', 'couponId');
  foreign.mailId = await first(`/api/mails?customerId=${customerId}`, 'mailId');
  foreign.webhookId = await first(`/api/webhooks?customerId=${customerId}`, 'webhookId');
  foreign.receiptId = await first(`/api/receipts?customerId=${customerId}`, 'receiptId');
  const third = await customerAt('other', 'third@example.org');
  const merge = { customerId, otherCustomerId: third };
  foreign.mergeId = await created('/api/business-merges', 'mergeId', merge);
  Object.assign(foreign, { token: 'nobody.none', name: 'orders', parkedItemId: 'none', otherCustomerId: third });
}

async function learnStaff(administrator: Headers): Promise<void> {
  const everything = staffRoles.filter((role) => role !== 'administrator');
  const add = (email: string, roles: string[], stores: 'all' | string[]) =>
    addMember(server, administrator, mails, { email, roles, stores });
  for (const role of staffRoles)
    callers.push({
      name: `${role} of all stores`,
      headers: (await add(`${role}@example.com`, [role], 'all')).headers,
      may: [...OPEN, ...OF_THEMSELVES, ...BY_ROLE[role]],
    });
  const { memberId, headers } = await add('main@example.com', [...everything], ['main']);
  foreign.memberId = memberId;
  callers.push({
    name: 'staff of another store',
    headers,
    may: [...OPEN, ...LISTS, ...OF_THEMSELVES, ...OF_NO_STORE, 'getLeadVerdict'],
  });
  const sessions = await server.call('GET', '/api/sessions', undefined, administrator);
  foreign.sessionId = sessions.body.items[0].sessionId;
  const own = await server.call('GET', '/api/factors', undefined, administrator);
  foreign.factorId = own.body.factors[0].factorId;
  const key = { name: 'landing page', roles: ['lead-source'], stores: 'all', expiresAt: '2026-06-01T00:00:00.000Z' };
  const issued = await server.call('POST', '/api/api-keys', key, administrator);
  foreign.apiKeyId = issued.body.apiKeyId;
  const may = [...OPEN, ...BRINGING_LEADS, 'listSessions', 'listSignIns', 'getFactors'];
  callers.push({ name: 'a lead source', headers: bearer(issued.body.token), may });
}

/** What staff of a single store may ask all the same: it says nothing of a customer. */
const OF_NO_STORE = [
  // They decide about the rows of the caller's stores: here, about none.
  ...['releaseMissedRenewals', 'skipMissedRenewals'],
  ...[...OF_THE_CATALOGUE, ...COUPONS, 'listCouponUses', 'listPolicyVersions', 'listTaxHistory', 'suppressBatch'],
  ...['listParkedItems', 'retryParkedItem', 'listReadModels', 'pauseReadModel', 'resumeReadModel', 'retryReadModel'],
  ...['rebuildReadModel', 'cancelReadModelRebuild', 'listDamagedStreams'],
];

beforeAll(async () => {
  server = await startServer({ mails: mails.gateway });
  ({ operations, document } = await readDocument(server));
  await learnForeign();
  await customerAt('main', 'own@example.org');
  const administrator = (await endTrial(server)).headers;
  callers.push({ name: 'nobody', headers: {}, may: OPEN });
  const own = bearer(await signInto(server, 'own@example.org'));
  callers.push({
    name: 'another customer',
    headers: own,
    may: [...OPEN, ...LISTS, ...OF_THEMSELVES],
  });
  await learnStaff(administrator);
}, 600_000);
afterAll(() => server.stop());

const filled = (path: string): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = foreign[name];
    if (id === undefined) throw new Error(`no foreign ${name} is known for ${path}`);
    return encodeURIComponent(id);
  });

function bodyOf({ operation }: Operation): Json {
  const schema = operation.requestBody?.content['application/json']?.schema;
  if (!schema) return undefined;
  const body = exampleBody({ document, schema });
  for (const name of Object.keys(body)) if (foreign[name] !== undefined) body[name] = foreign[name];
  return 'account' in body ? { ...body, account: undefined } : body;
}

const called = () => operations.filter(({ id }) => !NOT_CALLED.includes(id));

async function send(operation: Operation, headers: Headers) {
  const reply = await server.call(operation.method, filled(operation.path), bodyOf(operation), {
    ...reason,
    ...headers,
  });
  await server.settle();
  return reply;
}

test('every route has a line here, and every line a route', () => {
  const byRole = Object.values(BY_ROLE).flat();
  const lines = [OPEN, LISTS, OF_THEMSELVES, BRINGING_LEADS, byRole, OF_NO_STORE, FOR_NOBODY_HERE, NOT_CALLED].flat();
  expect([...new Set(lines)].toSorted()).toEqual(operations.map(({ id }) => id).toSorted());
});

test('a path with an id of which nothing foreign is known is no cell that passes', () => {
  expect(() => filled('/api/orders/{orderId}/parcels/{parcelId}')).toThrow('no foreign parcelId is known');
});

test('every route is refused to every caller who has no right to it, on what belongs to others', async () => {
  const successes: string[] = [];
  let tried = 0;
  for (const { name, headers, may } of callers)
    for (const operation of called()) {
      if (may.includes(operation.id)) continue;
      const { status, body } = await send(operation, headers);
      tried += 1;
      // Who is signed in no more is refused everything, which says nothing of rights.
      const isOut = body?.code === 'token-ended';
      if (status < 300 || status >= 500 || isOut) successes.push(`${name}: ${operation.id} was answered ${status}`);
    }
  console.log(`${tried} cells: ${called().length} routes, ${callers.length} callers, less what each may do`);
  expect(successes).toEqual([]);
  expect(tried).toBeGreaterThan(1000);
}, 600_000);

test('nothing that another customer, staff of another store or a program reads has anything foreign in it', async () => {
  const ids = ['customerId', 'orderId', 'leadId', 'checkoutId', 'replacementId', 'ticketId', 'refundId', 'mailId'];
  const secret = [...ids, 'webhookId', 'receiptId'].map((name) => foreign[name] as string);
  const found: string[] = [];
  let read = 0;
  for (const { name, headers, may } of callers.filter((one) => OUTSIDERS.includes(one.name)))
    for (const operation of called().filter(({ id, method }) => method === 'GET' && may.includes(id))) {
      // A verdict says nothing of the lead but the id that was asked.
      if (operation.id === 'getLeadVerdict') continue;
      const { status, text } = await send(operation, headers);
      read += 1;
      const isRefused = LISTS.includes(operation.id) && status !== 200;
      if (isRefused || secret.some((id) => text.includes(id))) found.push(`${name}: ${operation.id} ${status}`);
    }
  expect(read).toBeGreaterThan(2 * LISTS.length);
  expect(found).toEqual([]);
}, 600_000);

test('each role is answered what it may read', async () => {
  const refused: string[] = [];
  for (const role of staffRoles) {
    const { headers } = callers.find(({ name }) => name === `${role} of all stores`) as (typeof callers)[number];
    for (const operation of called().filter(({ id, method }) => method === 'GET' && BY_ROLE[role].includes(id))) {
      const { status } = await send(operation, headers);
      if (status === 401 || status === 403) refused.push(`${role}: ${operation.id} was answered ${status}`);
    }
  }
  expect(refused).toEqual([]);
}, 600_000);
