import type { Reply } from '#test/e2e/server';
import { copyOfMail, proveAddress } from '#test/mail-copies';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

let people = 0;
const unknownAddress = () => `stranger${++people}@example.org`;
async function member() {
  people += 1;
  const [email, password] = [`member${people}@example.org`, `long enough for anybody ${people}`];
  const id = await shop.customer({ email, password, businessAssociation: `Own ${people}` });
  await proveAddress(shop, id);
  return { id, email, password };
}
const as = (customerId: string) => ({ 'leadger-actor': `customer:${customerId}` });
const kindsOfMailsTo = async (customerId: string): Promise<string[]> =>
  (await shop.read(`/api/mails?customerId=${customerId}`)).items.map(({ kind }: { kind: string }) => kind);

const ids = /[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** All that is sent back, but for ids and the time. */
const shown = ({ status, headers, text }: Reply) => ({
  status,
  headers: [...headers].filter(([name]) => name !== 'date').map(([name, value]) => [name, value.replace(ids, 'ID')]),
  text: text.replace(ids, 'ID'),
});

const registration = { storeId: 'main', businessAssociation: 'Typed', timeZone: 'UTC', password: 'typed by somebody' };
const register = (email: string, headers = {}) =>
  shop.try('POST', '/api/customers', { ...registration, email }, headers);

describe('a registration', () => {
  test('ACC-2: is answered alike for an address that has an account, and only its owner is told, by mail', async () => {
    const { id, email, password } = await member();
    const unknown = await register(unknownAddress());
    const known = await register(email);
    expect(shown(known)).toEqual(shown(unknown));
    expect(known.status).toBe(201);
    expect(known.body.customerId).not.toBe(id);

    const mail = await copyOfMail(shop, id, 'account-exists');
    expect(mail).toContain(`To: ${email}`);
    expect(mail).toContain('/password-recovery');
    expect(await shop.read(`/api/customers/${id}`)).toMatchObject({ timeZone: 'America/New_York', email });
    const signIn = (typed: string) => shop.try('POST', '/api/sign-ins', { email, password: typed });
    expect([(await signIn(registration.password)).status, (await signIn(password)).status]).toEqual([401, 200]);
  });

  test('ACC-2: knows an address in another case', async () => {
    const { id, email } = await member();
    expect((await register(email.toUpperCase())).status).toBe(201);
    expect(await kindsOfMailsTo(id)).toContain('account-exists');
    expect(await copyOfMail(shop, id, 'account-exists')).toContain(`To: ${email}`);
  });

  test('ACC-2: of many at once with one address makes one account', async () => {
    const replies = await Promise.all(
      ['r@example.org', 'R@example.org', 'r@EXAMPLE.org', 'r@example.org', 'R@EXAMPLE.ORG'].map((one) => register(one)),
    );
    expect(new Set(replies.map((reply) => JSON.stringify(shown(reply)))).size).toBe(1);
    const made = (await shop.log()).filter(
      ({ type, stream }) =>
        type === 'CustomerRegistered' && replies.some(({ body }) => stream === `customer-${body.customerId}`),
    );
    expect(made).toHaveLength(1);
  });

  test('ACC-2: fills nobody’s mailbox: the owner is told once a day', async () => {
    const { id, email } = await member();
    for (let attempt = 0; attempt < 4; attempt += 1) await register(email);
    const told = async () => (await kindsOfMailsTo(id)).filter((kind) => kind === 'account-exists').length;
    expect(await told()).toBe(1);
    await shop.wait({ hours: 24 });
    await register(email);
    expect(await told()).toBe(2);
  });

  test('ACC-2: with a key is answered alike when it is repeated, and when the key comes with other details', async () => {
    const { email } = await member();
    const answers = await Promise.all(
      [email, unknownAddress()].map(async (address, index) => {
        const key = { 'idempotency-key': `registration-${index}` };
        const first = await register(address, key);
        const again = await register(address, key);
        const other = await shop.try(
          'POST',
          '/api/customers',
          { ...registration, email: address, timeZone: 'Asia/Tokyo' },
          key,
        );
        return { isSame: again.text === first.text, shown: [first, again, other].map(shown) };
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.isSame).toBe(true);
  });

  test('ACC-2: is refused alike, whatever the address', async () => {
    const { email } = await member();
    for (const wrong of [{ storeId: 'nowhere' }, { businessAssociation: '-' }, { timeZone: 'Nowhere' }]) {
      const [known, unknown] = await Promise.all(
        [email, unknownAddress()].map((one) =>
          shop.try('POST', '/api/customers', { ...registration, ...wrong, email: one }),
        ),
      );
      expect(shown(known as Reply)).toEqual(shown(unknown as Reply));
      expect(known?.status).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('a change of address', () => {
  const change = (id: string, email: string) => shop.try('PUT', `/api/customers/${id}/email`, { email }, as(id));

  test('ACC-2: is answered alike for an address that has an account, and only its owner is told', async () => {
    const [owner, one, other] = [await member(), await member(), await member()];
    const known = await change(one.id, owner.email);
    const unknown = await change(other.id, unknownAddress());
    const withoutPosition = ({ body: { position: _, ...body }, status }: Reply) => ({
      status,
      ...body,
      customerId: 'ID',
    });
    expect(withoutPosition(known)).toEqual(withoutPosition(unknown));
    const mail = await copyOfMail(shop, one.id, 'address-change');
    expect(mail).toContain(`To: ${owner.email}`);
    expect(mail).toContain('It belongs to your account');
    expect(mail).not.toMatch(/token=/);
    const [row, otherRow] = [
      await shop.read(`/api/customers/${one.id}`),
      await shop.read(`/api/customers/${other.id}`),
    ];
    expect(Object.keys(row)).toEqual(Object.keys(otherRow));
    expect(row.newEmail).toBe(owner.email);
  });

  test('ACC-2: sends at most three links to one address in a day, whoever asks, with an account or not', async () => {
    for (const email of [(await member()).email, unknownAddress()]) {
      const askers = [await member(), await member()];
      const answers: unknown[] = [];
      for (let attempt = 0; attempt < 4; attempt += 1) {
        const { status, body } = await change(askers[attempt % 2]?.id as string, email);
        answers.push([status, body.code]);
      }
      expect(answers).toEqual([
        [200, undefined],
        [200, undefined],
        [200, undefined],
        [409, 'too-many-links'],
      ]);
    }
  });
});
