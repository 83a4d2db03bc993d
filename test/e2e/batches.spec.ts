import { type Server, startServer } from './server.ts';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
afterEach(() => {
  expect(server.errors.splice(0)).toEqual([]);
});

const csv = { 'content-type': 'text/csv' };
const ndjson = { 'content-type': 'application/x-ndjson' };
const forAll = '/api/leads/batches?leadTypeId=shared-fresh&source=fair';
const stockOf = async (leadTypeId: string) => {
  const position = await server.position();
  const { body } = await server.call('GET', `/api/stock?waitFor=${position}`);
  return body.items.find((stock: { leadTypeId: string }) => stock.leadTypeId === leadTypeId)?.leads ?? 0;
};

test('a spreadsheet file is imported: valid rows become leads, wrong rows are reported by line', async () => {
  const file = [
    '\uFEFFFirst Name,Phone,E-mail,Captured At',
    'José,+1 212 555 0101,,2026-03-01T09:00:00-05:00',
    '"Smith, ""Bob""",212 555 0102,bob@example.com,',
    'Nobody,,,',
    'Ragged,212 555 0103',
    'Timeless,212 555 0104,,yesterday',
    'Last,,last@example.com,',
  ].join('\r\n');
  const { status, body } = await server.call('POST', forAll, file, { 'content-type': 'text/csv; charset=utf-8' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ received: 3, known: 0, rejected: 3 });
  expect(body.rejections.map(({ line }: { line: number }) => line)).toEqual([4, 5, 6]);
  expect(body.rejections[2].reason).toMatch('capturedAt');
  expect(await stockOf('shared-fresh')).toBe(3);
});

test('the same file again changes nothing', async () => {
  const file = 'phone,leadType,source\n212 555 0111,shared-aged,fair\n212 555 0112,shared-aged,fair\n';
  const first = await server.call('POST', '/api/leads/batches', file, csv);
  const again = await server.call('POST', '/api/leads/batches', file, { ...csv, 'idempotency-key': 'file-1' });
  expect(first.body).toMatchObject({ received: 2, known: 0, rejected: 0, rejections: [] });
  expect(again.body).toMatchObject({ received: 0, known: 2, rejected: 0 });
  expect(await stockOf('shared-aged')).toBe(2);
});

test('a file with one JSON object per line is imported in the same way', async () => {
  const lines = [
    { leadTypeId: 'exclusive-aged', contact: { telephone: '+1 212 555 0121' } },
    { leadTypeId: 'none', contact: { telephone: '+1 212 555 0122' } },
    { leadTypeId: 'exclusive-aged', contact: { telephone: '+1 212 555 0123' }, colour: 'blue' },
  ].map((line) => JSON.stringify(line));
  const { body } = await server.call('POST', forAll, [...lines, '{"broken":'].join('\n'), ndjson);
  expect(body).toMatchObject({ received: 1, known: 0, rejected: 3 });
  expect(body.rejections).toMatchObject([
    { line: 2, reason: 'there is no lead type none' },
    { line: 3, reason: expect.stringContaining('colour') },
    { line: 4, reason: 'is not JSON' },
  ]);
});

test('a file in Latin-1 is read as such when the request says so', async () => {
  const file = Buffer.from('firstName,telephone\nJosé,212 555 0131\n', 'latin1');
  const refused = await server.call('POST', forAll, file, csv);
  expect(refused.body).toMatchObject({ received: 0, rejected: 1, rejections: [{ line: 2 }] });
  const taken = await server.call('POST', `${forAll}&encoding=latin1`, file, csv);
  expect(taken.body).toMatchObject({ received: 1, rejected: 0 });
});

test('a file above the body limit is streamed; only the first thousand wrong rows are reported', async () => {
  const rows = 60_000;
  let row = 0;
  const encoder = new TextEncoder();
  const file = new ReadableStream({
    pull(controller) {
      if (row === 0) controller.enqueue(encoder.encode('firstName,telephone\n'));
      const chunk = Array.from(
        { length: 1000 },
        () => `${'x'.repeat(30)},${row++ % 30 === 0 ? '212 555 0141' : '12'}\n`,
      );
      controller.enqueue(encoder.encode(chunk.join('')));
      if (row === rows) controller.close();
    },
  });
  const { status, body } = await server.call('POST', forAll, file, csv);
  expect(status).toBe(200);
  expect(body).toMatchObject({ received: 1, known: rows / 30 - 1, rejected: (rows / 30) * 29 });
  expect(body.rejections).toHaveLength(1000);
});

test.each([
  ['an empty file', '', 'empty'],
  ['a file without telephone numbers and e-mail addresses', 'firstName\nAda\n', 'telephone number or an e-mail'],
  ['unknown columns', 'telephone,shoe size\n212 555 0151,44\n', 'shoe size'],
  ['a column twice', 'telephone,phone\n1,2\n', 'telephone'],
])('%s is answered with 400, and nothing is imported', async (_, file, detail) => {
  const { status, body } = await server.call('POST', forAll, file, csv);
  expect({ status, code: body.code }).toEqual({ status: 400, code: 'not-a-file-of-leads' });
  expect(body.detail).toMatch(detail);
});

test('unknown columns are ignored on request', async () => {
  const file = 'telephone,shoe size\n212 555 0161,44\n';
  const { body } = await server.call('POST', `${forAll}&unknownColumns=ignore`, file, csv);
  expect(body).toMatchObject({ received: 1 });
});

test('for a file without lead type or source the answer says what is missing', async () => {
  const { status, body } = await server.call('POST', '/api/leads/batches', 'telephone\n212 555 0171\n', csv);
  expect(status).toBe(400);
  expect(body.detail).toMatch('lead type');
});

test.each([
  ['JSON', '{}', 'application/json'],
  ['plain text', 'a', 'text/plain'],
  ['a workbook', 'PK', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
])('%s is answered with 415', async (_, body, type) => {
  const reply = await server.call('POST', forAll, body, { 'content-type': type });
  expect(reply).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } });
});

test('a row of 10 MB is rejected, and the rows next to it are imported', async () => {
  const file = `telephone,comment\n212 555 0181,a\n212 555 0182,${'x'.repeat(10 * 2 ** 20)}\n212 555 0183,b\n`;
  const { body } = await server.call('POST', forAll, file, csv);
  expect(body).toMatchObject({ received: 2, rejected: 1, rejections: [{ line: 3 }] });
});
