import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  expect(await shop.brokenLaws()).toEqual([]);
  await shop.stop();
});

let people = 0;
const person = () => {
  people += 1;
  return { telephone: `+1 212 555 ${5000 + people}`, email: `listed-${people}@example.org` };
};
const asProgram = { 'leadger-actor': 'system:lists' };
/** Lists come from staff, and from programs with a role of theirs. */
const asStaff = { 'leadger-actor': 'staff:lists' };
const asForm = { 'leadger-actor': 'customer:visitor' };
const asSupport = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the wrong file was sent' };

let records = 0;
/** Each time another record of the person. */
const send = async (contact: object, leadTypeId = 'exclusive-fresh') => {
  records += 1;
  return (await shop.try('POST', '/api/leads', { leadTypeId, source: `form ${records}`, contact }, asProgram)).body;
};
const isSuppressed = async (contact: object) => (await send(contact)).code === 'person-suppressed';

async function listOf(content: string | Buffer, query = '', contentType = 'text/csv', caller: object = asStaff) {
  const headers = { ...caller, 'content-type': contentType };
  const { status, body } = await shop.server.call(
    'POST',
    `/api/suppressions/batches${query}`,
    content as string,
    headers,
  );
  await shop.server.settle();
  return { status, ...body };
}
const lift = (body: object, headers: Record<string, string> = asSupport) =>
  shop.try('POST', '/api/suppressions/lift', body, headers);

const ADDS_UP = expect.anything();
function addsUp({ rows, suppressed, known, rejected }: Record<string, number>): boolean {
  return rows === (suppressed ?? 0) + (known ?? 0) + (rejected ?? 0);
}

describe('DLV-12: a list of persons', () => {
  test('counts all numbers and all addresses of a row, in any column and several in a cell', async () => {
    const [ann, ben, eve, joe] = [person(), person(), person(), person()];
    const report = await listOf(
      [
        'Name,Phone,Mobile phone,Phone 2,E-mail,Work e-mail',
        `Ann,${ann.telephone},${ben.telephone},,${ann.email},${eve.email}`,
        `Joe,"${joe.telephone}; ${eve.telephone}",,,"Ben <${ben.email}>, ${joe.email}",`,
        '',
      ].join('\r\n'),
    );
    expect(report).toMatchObject({ status: 200, rows: 2, suppressed: 2, known: 0, rejected: 0, incomplete: 0 });
    for (const one of [ann, ben, eve, joe])
      for (const name of [{ telephone: one.telephone }, { email: one.email }])
        expect({ name, suppressed: await isSuppressed(name) }).toEqual({ name, suppressed: true });
  });

  test('is read as lists of leads are: encoding, delimiter, country and names of columns, and it is said how', async () => {
    const { email } = person();
    const file = Buffer.from(`Straße;Rufnummer;Mail\r\nKöln;020 7946 0018;${email}\r\n`, 'latin1');
    const query = '?map=telephone%3DRufnummer&country=GB&encoding=latin1';
    expect(await listOf(file, query)).toMatchObject({
      ...{ rows: 1, suppressed: 1, known: 0, rejected: 0 },
      reading: { encoding: 'latin1', delimiter: ';', ignoredColumns: ['Straße'], keptColumns: [] },
    });
    expect(await isSuppressed({ telephone: '+44 20 7946 0018' })).toBe(true);
    expect(await isSuppressed({ email })).toBe(true);
    expect(await listOf('phone,shoe size\r\n', '?unknownColumns=refuse')).toMatchObject({
      ...{ status: 400, code: 'not-a-file-of-leads', detail: expect.stringContaining('"shoe size"') },
    });
    expect(await listOf('phone\r\n', '?map=firstName%3Dphone')).toMatchObject({ code: 'not-a-file-of-leads' });
    expect(await listOf('phone\r\n', '?country=XX')).toMatchObject({ code: 'not-a-file-of-leads' });
    expect(await listOf('name\r\nAnn\r\n')).toMatchObject({ code: 'not-a-file-of-leads' });
  });

  test('adds up: a row with nothing usable is rejected with its line, and what else is not understood is told', async () => {
    const [ann, ben] = [person(), person()];
    const file = `phone,email\n${ann.telephone},none\n,\n12,x\n2.12556E+09,\n${ben.telephone},\n${ben.telephone},\n"open,\n`;
    const report = await listOf(file);
    expect(report).toMatchObject({
      ...{ rows: 7, suppressed: 2, known: 1, rejected: 4, incomplete: 1 },
      rejections: [
        { line: 3, reason: 'has no telephone number and no e-mail address' },
        { line: 4, reason: 'telephone: not a telephone number; email: Invalid email address' },
        { line: 5, reason: expect.stringContaining('scientific notation') },
        { line: 8, reason: 'a quote is opened but not closed' },
      ],
      incompleteRows: [{ line: 2, reason: 'email: Invalid email address' }],
      reading: ADDS_UP,
    });
    expect(addsUp(report)).toBe(true);
    expect(await listOf(file)).toMatchObject({ rows: 7, suppressed: 0, known: 3, rejected: 4 });
  });

  test('may have one column and no header, and damaged rows, which count as far as they can be read', async () => {
    const [ann, ben, eve] = [person(), person(), person()];
    expect(await listOf(`${ann.telephone}\n${ben.email}\n`)).toMatchObject({
      ...{ rows: 2, suppressed: 2, rejected: 0, reading: { withoutHeader: true } },
    });
    const damaged = `name,phone\nEve, Dr.,${eve.telephone}\nJos\xe9,212 555 0100\nJos\xe9,none\n`;
    const report = await listOf(Buffer.from(damaged, 'latin1'));
    expect(report).toMatchObject({
      ...{ rows: 3, suppressed: 2, known: 0, rejected: 1, incomplete: 2 },
      rejections: [{ line: 4, reason: 'is not UTF-8: is the file in Latin-1?' }],
      incompleteRows: [
        { line: 2, reason: 'has 3 fields where the header has 2' },
        { line: 3, reason: 'is not UTF-8: is the file in Latin-1?' },
      ],
    });
    expect(addsUp(report)).toBe(true);
    for (const name of [{ telephone: ann.telephone }, { email: ben.email }, { telephone: eve.telephone }])
      expect({ name, suppressed: await isSuppressed(name) }).toEqual({ name, suppressed: true });
  });

  test('may be lines of JSON, as files of leads, or just with numbers and addresses', async () => {
    const [ann, ben] = [person(), person()];
    const lines = [
      { contact: { firstName: 'Ann', telephone: ann.telephone, email: ann.email }, source: 'fair' },
      { telephones: [ben.telephone], emails: [ben.email] },
      { telephone: 2 },
    ];
    const file = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    expect(await listOf(file, '', 'application/x-ndjson')).toMatchObject({ rows: 3, suppressed: 2, rejected: 1 });
    for (const name of [{ email: ann.email }, { telephone: ben.telephone }, { email: ben.email }])
      expect(await isSuppressed(name)).toBe(true);
  });
});

describe('DLV-12: several lists', () => {
  const listsNamed = async (prefix: string) =>
    (await shop.read('/api/suppressions/lists?limit=200')).items.filter(({ listId }: { listId: string }) =>
      listId.startsWith(prefix),
    );

  test('count a person as suppressed who is new on them, and then as known', async () => {
    const { telephone, email } = person();
    const file = `phone\n${telephone}\n`;
    for (const listId of ['first', 'second'])
      for (const suppressed of [1, 0])
        expect(await listOf(file, `?listId=${listId}`)).toMatchObject({ suppressed, known: 1 - suppressed });
    const more = `phone,email\n${telephone},${email}\n`;
    expect(await listOf(more, '?listId=first')).toMatchObject({ suppressed: 1, known: 0 });
  });

  test('are listed by name, with how many numbers and addresses each suppresses now', async () => {
    const [ann, ben] = [person(), person()];
    const both = `phone,email\n${ann.telephone},${ann.email}\n${ben.telephone},\n`;
    const since = shop.now();
    await listOf(both, '?listId=state-b');
    await shop.wait({ hours: 1 });
    await listOf(both, '?listId=state-a');
    await listOf(`phone\n${person().telephone}\n`, '?listId=state-a&suppression=opt-out');
    await shop.ask('POST', '/api/suppressions', { person: { email: ben.email } }, 200, asForm);
    expect(await listsNamed('state')).toEqual([
      { listId: 'state-a', suppressed: 4, firstNamedAt: shop.now(), lastNamedAt: shop.now() },
      { listId: 'state-b', suppressed: 3, firstNamedAt: since, lastNamedAt: since },
    ]);
    await lift({ person: { telephone: ben.telephone, email: ben.email } });
    await listOf(`phone\n${ben.telephone}\n`, '?listId=state-b');
    await lift({ listId: 'state-a' });
    expect(await listsNamed('state')).toMatchObject([
      { listId: 'state-a', suppressed: 0 },
      { listId: 'state-b', suppressed: 3, lastNamedAt: shop.now() },
    ]);
  });

  test('are listed in pages', async () => {
    for (const listId of ['zone-3', 'zone-1', 'zone-2'])
      await listOf(`phone\n${person().telephone}\n`, `?listId=${listId}`);
    const page = async (cursor: string) => shop.read(`/api/suppressions/lists?limit=2&cursor=${cursor}`);
    const first = await page('zone-');
    expect(first).toMatchObject({ items: [{ listId: 'zone-1' }, { listId: 'zone-2' }], nextCursor: 'zone-2' });
    expect(await page(first.nextCursor)).toEqual({ items: [expect.objectContaining({ listId: 'zone-3' })] });
    expect(await shop.try('GET', '/api/suppressions/lists?cursor=a%20b')).toMatchObject({ status: 400 });
  });
});

describe('DLV-12: a suppression is lifted', () => {
  test('of a list: whom this list alone suppressed may be sold again; other lists and own requests stay', async () => {
    const [wrong, other, asked] = [person(), person(), person()];
    const numbers = (...all: { telephone: string }[]) =>
      `phone\r\n${all.map(({ telephone }) => telephone).join('\r\n')}`;
    const stocked = (await send(wrong)).leadId;
    await listOf(numbers(wrong, other, asked), '?listId=march');
    await listOf(numbers(other), '?listId=april');
    await shop.ask('POST', '/api/suppressions', { person: { telephone: asked.telephone } }, 200, asForm);
    expect((await lift({ listId: 'march' })).body).toEqual({ lifted: 3, stillSuppressed: 2 });
    expect((await lift({ listId: 'march' })).body).toEqual({ lifted: 0, stillSuppressed: 0 });
    for (const one of [other, asked]) expect(await isSuppressed({ telephone: one.telephone })).toBe(true);
    // What was withdrawn stays withdrawn. The person is sold as another lead, also by the other name.
    expect(await shop.read(`/api/leads/${stocked}`)).toMatchObject({ withdrawnAs: 'suppressed' });
    const { leadId, duplicate } = await send({ email: wrong.email });
    expect({ leadId, duplicate }).toEqual({ leadId: expect.any(String), duplicate: undefined });
    const orderId = await shop.order(await shop.customer(), { quantity: 1 });
    const delivered = (await shop.history(`/api/orders/${orderId}`)).filter(({ type }) => type === 'LeadDelivered');
    expect(delivered.map(({ data }) => data.leadId)).toEqual([leadId]);
    // The same list suppresses again.
    expect(await listOf(numbers(wrong), '?listId=march')).toMatchObject({ suppressed: 1, known: 0 });
  });

  test('and the records of before stay withdrawn, also when they come again: a new capture is another lead', async () => {
    const contact = person();
    const record = { leadTypeId: 'exclusive-fresh', source: 'fair', contact };
    const at = (capturedAt: string) => shop.try('POST', '/api/leads', { ...record, capturedAt }, asProgram);
    const before = shop.now();
    const { leadId } = (await at(before)).body;
    await listOf(`phone,email\n${contact.telephone},${contact.email}\n`, '?listId=july');
    await lift({ listId: 'july' });
    expect((await at(before)).body).toMatchObject({ leadId });
    expect(await shop.read(`/api/leads/${leadId}`)).toMatchObject({ withdrawnAs: 'suppressed', openPlaces: 0 });
    await shop.wait({ hours: 1 });
    const again = (await at(shop.now())).body;
    expect(again.leadId).not.toBe(leadId);
    expect(await shop.read(`/api/leads/${again.leadId}`)).toMatchObject({ withdrawn: false });
  });

  test('of a person: whatever suppressed them, by each name that is given', async () => {
    const ann = person();
    await listOf(`phone,email\r\n${ann.telephone},${ann.email}\r\n`, '?listId=may');
    await shop.ask('POST', '/api/suppressions', { person: ann }, 200, asForm);
    expect((await lift({ person: { telephone: ann.telephone } })).body).toEqual({ lifted: 1, stillSuppressed: 0 });
    expect(await isSuppressed(ann)).toBe(true);
    expect((await lift({ person: ann })).body).toEqual({ lifted: 1, stillSuppressed: 0 });
    expect(await isSuppressed(ann)).toBe(false);
  });

  test('of a person who was sold before: what was sold stays sold', async () => {
    const ann = person();
    const orderId = await shop.order(await shop.customer(), { leadTypeId: 'shared-fresh', quantity: 100 });
    const { leadId } = await send(ann, 'shared-fresh');
    expect((await shop.history(`/api/orders/${orderId}`)).some(({ data }) => data.leadId === leadId)).toBe(true);
    await shop.ask('POST', '/api/suppressions', { person: ann }, 200, asForm);
    await lift({ person: ann });
    expect(await send(ann)).toMatchObject({ duplicate: 'telephone and email' });
  });

  test('is recorded with author and reason, and names nobody', async () => {
    const { telephone } = person();
    await listOf(`phone\r\n${telephone}\r\n`, '?listId=june');
    await lift({ listId: 'june' }, { ...asSupport, 'leadger-reason': `${telephone} was on it by mistake` });
    const log = await shop.log();
    const [lifted] = log.filter(({ type }) => type === 'SuppressionLifted').slice(-1);
    expect(lifted).toMatchObject({ data: { listId: 'june' }, metadata: { actor: 'staff:ada' } });
    expect(JSON.stringify(log)).not.toContain(telephone);
    expect(await shop.opened(lifted?.metadata.reason)).toContain(telephone);
    await shop.ask('POST', '/api/persons/erasures', { person: { telephone } }, 200, asSupport);
    expect(await shop.opened(lifted?.metadata.reason)).toBeUndefined();
  });

  test('whatever If-Match says, as a list or a person has no revision; so is an erasure', async () => {
    const { telephone } = person();
    const stale = { ...asSupport, 'if-match': '"77"' };
    await listOf(`phone\n${telephone}\n`, '?listId=august');
    expect(await lift({ listId: 'august' }, stale)).toMatchObject({ status: 200, body: { lifted: 1 } });
    const erasure = await shop.try('POST', '/api/persons/erasures', { person: { telephone } }, stale);
    expect(erasure).toMatchObject({ status: 200 });
  });

  test('is refused of a list that never named anybody', async () => {
    for (const listId of ['nonesuch', 'jun'])
      expect(await lift({ listId })).toMatchObject({
        ...{ status: 409, body: { code: 'list-unknown', detail: `no list ${listId} has ever named anybody` } },
      });
  });

  test('by support only, with a reason, and of a person or a list', async () => {
    for (const headers of [asForm, asProgram])
      expect(await lift({ listId: 'march' }, headers)).toMatchObject({ status: 403 });
    expect(await lift({ listId: 'march' }, { 'leadger-actor': 'staff:ada' })).toMatchObject({
      ...{ status: 400, body: { code: 'reason-missing' } },
    });
    for (const body of [{}, { listId: 'march', person: { email: 'a@example.org' } }, { listId: 'a b' }])
      expect(await lift(body)).toMatchObject({ status: 400 });
  });
});

describe('DLV-12: a file that a form sends', () => {
  const opt = (content: string, query = '?suppression=opt-out') => listOf(content, query, 'text/csv', asForm);

  test('says the same of a person who had opted out, and of one who had not', async () => {
    const file = `phone\n${person().telephone}\n`;
    const first = await opt(file);
    expect(first).toMatchObject({ status: 200, rows: 1, suppressed: 1, known: 0 });
    expect(await opt(file)).toEqual(first);
  });

  test('names no list', async () => {
    const { telephone } = person();
    expect(await opt(`phone\n${telephone}\n`, '?suppression=opt-out&listId=mine')).toMatchObject({
      ...{ status: 403, code: 'staff-only' },
    });
    expect(await isSuppressed({ telephone })).toBe(false);
  });

  test('names one person in all of its rows, and otherwise nothing of it is done', async () => {
    const [ann, ben] = [person(), person()];
    const rejected = 'nobody\n'.repeat(600);
    expect(await opt(`phone\n${ann.telephone}\n${rejected}${ben.telephone}\n`)).toMatchObject({
      ...{ status: 403, code: 'staff-only' },
    });
    for (const { telephone } of [ann, ben]) expect(await isSuppressed({ telephone })).toBe(false);
    const eve = person();
    const report = await opt(`phone\n${rejected}${eve.telephone}\n${rejected}`);
    expect(report).toMatchObject({ status: 200, rows: 1201, suppressed: 1, known: 0, rejected: 1200 });
    expect(await isSuppressed({ telephone: eve.telephone })).toBe(true);
  });

  test('takes one person in several rows, each with a name of the rows before', async () => {
    const [ann, other] = [person(), person()];
    const line = `${ann.telephone},${ann.email}\n`;
    const report = await opt(
      `phone,email\n${line}${line},${ann.email.toUpperCase()}\n${other.telephone},${ann.email}\n`,
    );
    expect(report).toMatchObject({ status: 200, rows: 4, suppressed: 4, known: 0, rejected: 0 });
    for (const name of [{ telephone: ann.telephone }, { email: ann.email }, { telephone: other.telephone }])
      expect(await isSuppressed(name)).toBe(true);
  });

  test('names at most five telephone numbers and five addresses, in one row as in several', async () => {
    const people = Array.from({ length: 6 }, person);
    const [telephones, emails] = [people.map(({ telephone }) => telephone), people.map(({ email }) => email)];
    const [first] = telephones;
    const refused = { status: 403, code: 'staff-only', detail: expect.stringContaining('at most 5 telephone numbers') };
    const asJson = (object: object) =>
      listOf(`${JSON.stringify(object)}\n`, '?suppression=opt-out', 'application/x-ndjson', asForm);
    for (const answer of [
      await opt(`phone\n"${telephones.join('; ')}"\n`),
      await opt(`email\n"${emails.join(', ')}"\n`),
      await opt(`phone,mobile\n${telephones.map((telephone) => `${first},${telephone}\n`).join('')}`),
      await asJson({ telephones }),
      await asJson({ emails }),
      // It would take the program's time to read what is longer than one person needs.
      await opt(`phone\n"${Array(2000).fill(first).join(';')}"\n`),
    ])
      expect(answer).toMatchObject(refused);
    for (const telephone of telephones) expect(await isSuppressed({ telephone })).toBe(false);
    const some = people.slice(1);
    expect(
      await asJson({ telephones: some.map(({ telephone }) => telephone), emails: some.map(({ email }) => email) }),
    ).toMatchObject({ status: 200, suppressed: 1 });
    expect(await listOf(`phone\n"${telephones.join('; ')}"\n`)).toMatchObject({ status: 200, rows: 1 });
  });
});
