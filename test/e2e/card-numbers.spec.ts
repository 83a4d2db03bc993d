import { readDocument } from './api-document.ts';
import { ExampleCalls } from './example-calls.ts';
import { type Server, startServer } from './server.ts';
import { nameOf, type TextField, textFieldsOf, withText } from './text-fields.ts';

/*
 * ADR 58: no number of a payment card is stored, whatever text it stands in. The texts are those of the document, so a new field is
 * tried, too.
 */

const CARD = '4111 1111 1111 1111';

let server: Server;
let api: Awaited<ReturnType<typeof readDocument>>;
let calls: ExampleCalls;
beforeAll(async () => {
  server = await startServer();
  api = await readDocument(server);
  calls = new ExampleCalls(server, api);
  await calls.call('defineLeadType');
  await calls.call('issueApiKey');
});
afterAll(() => server.stop());

/** They have forms of their own, or are never stored (what is compared, and a trap): a card number fits none of them, or does not stay. */
const OF_OTHER_FORMS =
  /(password|Password|token|paymentToken|telephone|telephones.\[\]|email|emails.\[\]|[zZ]one|currency|webAddress|webhookUrl|thanksPage|origins.\[\]|consent.(page|ip|certificate)|cadence|website)$/;

const fields = (): TextField[] => api.operations.flatMap((operation) => textFieldsOf(api.document, operation));

async function fault(field: TextField): Promise<string[]> {
  const { operation, path } = field;
  const reply = await calls.send(operation, withText(calls.bodyOf(operation), path, `my card is ${CARD}`));
  if (reply.text.includes(CARD)) return [`${nameOf(field)} repeats it`];
  const [first] = path;
  const names = (reply.body?.errors ?? []).map((error: { field: string }) => error.field);
  const isNamed = names.some((name: string) => name === first || name.startsWith(`${first}.`));
  return reply.status === 400 && isNamed ? [] : [`${nameOf(field)} was answered ${reply.status}: ${names}`];
}

test('the number of a payment card is refused in every text of every request, with its field, and is not repeated', async () => {
  const faults: string[] = [];
  let tried = 0;
  for (const field of fields()) {
    if (OF_OTHER_FORMS.test(field.path.join('.'))) continue;
    tried += 1;
    faults.push(...(await fault(field)));
  }
  expect(faults).toEqual([]);
  expect(tried).toBeGreaterThan(50);
}, 300_000);

test('nothing of it is in the log of the program', () => {
  expect(server.log.filter((line) => line.includes(CARD) || line.includes(CARD.replaceAll(' ', '')))).toEqual([]);
});
