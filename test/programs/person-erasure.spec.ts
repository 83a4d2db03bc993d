import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { waitUntil } from '#test/wait-until';
import { cli, type Program, serve } from './program.ts';

interface Fact {
  readonly type: string;
  readonly data: { readonly contact?: object };
}

/* A person is erased by the command line, while the store runs and while it does not. No byte of the person is left. */

let directory: string;
let backup: string;
let program: Program;
let url: string;
let customerId: string;

const email = 'xq-canary@example.org';
const telephone = '+1 212 555 0177';
const contact = { firstName: 'Xqfirst', lastName: 'Xqlast', telephone, email, city: 'Xqcity', comment: 'Xqcomment' };
const customer = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'UTC', email: 'buyer@example.org' };
const reason = ['--reason', 'asked by letter'];

const headers = { 'content-type': 'application/json' };
const post = async (path: string, body: object) =>
  (await (await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as Record<
    string,
    string
  >;

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The files of the store that have these bytes anywhere. */
async function filesWith(...texts: readonly (string | Uint8Array)[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of await filesIn(directory)) {
    const bytes = await readFile(file);
    if (texts.some((text) => bytes.includes(Buffer.from(text as string)))) found.push(file);
  }
  return found;
}

function wrappedKeyOf(subject: string): Uint8Array | undefined {
  const keys = new Database(join(directory, 'keys', 'keys.sqlite'), { readonly: true });
  const wrapped = keys.prepare('SELECT wrapped FROM keys WHERE subject = ?').pluck().get(subject);
  keys.close();
  return (wrapped as Uint8Array | null) ?? undefined;
}

beforeAll(async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'leadger-erasure-'));
  [directory, backup] = [join(temporary, 'data'), join(temporary, 'keys-of-before')];
  ({ program, url } = await serve(directory));
  customerId = (await post('/api/customers', customer)).customerId as string;
  await post('/api/orders', { customerId, leadTypeId: 'exclusive-fresh', quantity: 25, paymentToken: 'tok_ok' });
  for (const source of ['web', 'fair']) await post('/api/leads', { leadTypeId: 'exclusive-fresh', source, contact });
  await waitUntil(async () => {
    const leads = (await (await fetch(`${url}/api/customers/${customerId}/leads`)).json()) as { items?: unknown[] };
    // Until the read models know the customer, there is none.
    return (leads.items ?? []).length > 0;
  });
});
afterAll(async () => {
  await program.kill();
  await rm(join(directory, '..'), { recursive: true });
});

const printed = async (...command: string[]) => {
  const { code, stdout, stderr } = await cli(...command, '--data', directory);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};

/** A further record of a person is kept without its contact (DLV-11). */
const contactsIn = ({ asLead }: { asLead: { history: Fact[] }[] }) =>
  asLead.map(({ history }) => history[0]?.data.contact).filter((known) => known !== undefined);

test('the store exports a person while it runs', async () => {
  const inUnicode = ['--reason', 'Zoë asked – by letter'];
  const held = JSON.parse(await printed('person', 'export', '--telephone', telephone, ...inUnicode));
  expect(held.asCustomer).toEqual([]);
  expect(held.asLead.map(({ history }: { history: Fact[] }) => history[0]?.type).sort()).toEqual([
    'DuplicateReceived',
    'LeadReceived',
  ]);
  expect(contactsIn(held)).toEqual([contact]);
});

test('a person is erased while the store runs and its keys are read: not a byte of the key or of an opened copy is left', async () => {
  // The key of the reasons of erasures is made with the first one: it must be in the backup.
  const another = { telephone: '+1 212 555 0178' };
  await post('/api/leads', { leadTypeId: 'exclusive-fresh', source: 'web', contact: another });
  await printed('person', 'erase', '--telephone', another.telephone, ...reason);
  await cp(join(directory, 'keys'), backup, { recursive: true });
  const { asLead } = JSON.parse(await printed('person', 'export', '--email', email, ...reason));
  const subjects = asLead.map(({ leadId }: { leadId: string }) => `lead-${leadId}`) as string[];
  const keys = subjects.map(wrappedKeyOf).filter((key) => key !== undefined);
  expect(keys).toHaveLength(1);
  const reader = new Database(join(directory, 'keys', 'keys.sqlite'), { readonly: true });
  expect(await printed('person', 'erase', '--email', email, ...reason)).toBe('erased: 0 as customer, 2 as lead\n');
  reader.close();
  expect(await filesWith(...keys)).toEqual([]);
  expect(await filesWith(...Object.values(contact))).toEqual([]);
  const after = JSON.parse(await printed('person', 'export', '--email', email, ...reason));
  expect(contactsIn(after)).toEqual([{ erased: true }]);
});

async function restoreKeys(): Promise<void> {
  await rm(join(directory, 'keys'), { recursive: true });
  await cp(backup, join(directory, 'keys'), { recursive: true });
}

const isTold = (text: string) => Object.values(contact).some((word) => text.includes(word));

test('keys from an older backup do not bring the person back for commands that read, before any start', async () => {
  const { asLead } = JSON.parse(await printed('person', 'export', '--email', email, ...reason));
  await program.stop();
  await restoreKeys();
  const verified = await printed('verify');
  expect(verified).toContain('1 key of an erased person has come back');
  expect(verified).toContain('all laws hold');
  expect(JSON.parse(await printed('verify', '--json'))).toMatchObject({ keysOfErasedPersons: 1 });
  const opened = await printed('export', '--opened');
  expect(opened).toContain('"erased":true');
  expect(isTold(opened)).toBe(false);
  for (const { leadId } of asLead) expect(isTold(await printed('timeline', 'lead', leadId))).toBe(false);
});

test('nor for a copy with all texts sealed, which does not contain these keys', async () => {
  const sealed = join(directory, '..', 'sealed');
  const { code } = await cli('copy', '--seal', '--from', directory, '--to', sealed);
  expect(code).toBe(0);
  const { stdout } = await cli('export', '--opened', '--data', sealed);
  expect(stdout).toContain('"erased":true');
  expect(isTold(stdout)).toBe(false);
  expect((await cli('verify', '--data', sealed)).stdout).not.toContain('of erased persons');
});

test('nor for a new master key: they are destroyed first', async () => {
  expect(await printed('keys', 'rotate')).toContain('1 key of an erased person had come back');
  expect(await printed('verify')).not.toContain('of erased persons');
});

test('keys from an older backup do not bring the person back: the start destroys them again, and says how many', async () => {
  await restoreKeys();
  ({ program, url } = await serve(directory));
  expect(program.stderr).toMatch(/^leadger: 1 key of an erased person had come back[^\n]*\n/);
  expect(await filesWith(...Object.values(contact))).toEqual([]);
  await program.stop();
  ({ program, url } = await serve(directory));
  expect(program.stderr).toBe('');
});

test('a customer is erased while the store does not run, and the log still verifies', async () => {
  await program.stop();
  expect(await printed('person', 'erase', '--customer', customerId, ...reason)).toBe(
    'erased: 1 as customer, 0 as lead\n',
  );
  expect(await printed('verify')).toContain('all laws hold');
  expect(await filesWith(customer.email)).toEqual([]);
});

test('what names nobody is refused in one line, and nothing is recorded', async () => {
  const before = await printed('digest');
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [reason, /^leadger: name the person by one of/],
    [['--telephone', '12', ...reason], /^leadger: --telephone must be a telephone number/],
    [['--email', 'nonsense', ...reason], /^leadger: --email must be an e-mail address/],
    [['--email', '', ...reason], /^leadger: --email must be an e-mail address/],
    [['--lead', 'Pat Example', ...reason], /^leadger: --lead must be an id/],
    [['--email', email, '--reason', ' '], /^leadger: --reason must be one line of text/],
    [['--email', email, '--reason', ''], /^leadger: --reason must be one line of text/],
  ];
  for (const act of ['export', 'erase'])
    for (const [options, message] of wrong) {
      const { code, stdout, stderr } = await cli('person', act, ...options, '--data', directory);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
  expect(await printed('digest')).toBe(before);
});
