import { Readable } from 'node:stream';
import { readPersonFile } from './person-file.ts';

async function personOf(content: string, format: 'csv' | 'ndjson' = 'csv', country = 'US') {
  const rows = [];
  for await (const row of readPersonFile(Readable.from([Buffer.from(content)]), { format, country })) rows.push(row);
  expect(rows).toHaveLength(1);
  const [row] = rows;
  return row && 'person' in row ? row.person : row?.reason;
}

const US = (digits: string) => expect.stringContaining(digits.slice(-4));

describe('DLV-12: a cell with several numbers', () => {
  test.each([
    ['1-800-FLOWERS; 415-555-2647', ['2647'], true],
    ['415-555-3647; ext 5', ['3647'], false],
    ['415-555-4647 x12, x13', ['4647'], true],
    ['415-555-0409, \u0664\u0661\u0665\u0665\u0665\u0665', ['0409'], true],
    ['415-555-1642 / 04', ['1642'], true],
    ['415-555-1642; 0403', ['1642'], true],
    ['415-555-0402; four one five', ['0402'], true],
    ['415-555-0402 / 415-555-0403', ['0402', '0403'], false],
    ['415 555 0402', ['0402'], false],
  ])('%s: each that is understood counts, and the rest is told', async (cell, ends, isIncomplete) => {
    const person = await personOf(`telephone\n"${cell}"\n`);
    expect(person).toMatchObject({ telephones: ends.map((end) => US(end)) });
    expect(typeof person === 'object' && person.notUnderstood !== undefined).toBe(isIncomplete);
  });

  test('a slash may also stand within a number', async () => {
    expect(await personOf('telephone\n030/12345678\n', 'csv', 'DE')).toMatchObject({
      telephones: [expect.stringContaining('12345678')],
    });
  });
});

describe('DLV-12: a cell with several addresses', () => {
  test.each([
    ['j1@x.example; i2x.example', ['j1@x.example'], true],
    ['Ann Dr. Lee <j1@x.example>', ['j1@x.example'], false],
    ['j1@x.example|j2@x.example', ['j1@x.example', 'j2@x.example'], false],
    ['j1@x.example, a|b647@x.example', ['j1@x.example'], true],
  ])('%s: each that is understood counts, and the rest is told', async (cell, emails, isIncomplete) => {
    const person = await personOf(`email\n"${cell}"\n`);
    expect(person).toMatchObject({ emails });
    expect(typeof person === 'object' && person.notUnderstood !== undefined).toBe(isIncomplete);
  });

  test.each(['email\na|b647@x.example\n', '{"emails":["a|b647@x.example"]}\n'])(
    'what stands in an address that is not understood is no other address: %s',
    async (content) => {
      expect(await personOf(content, content.startsWith('{') ? 'ndjson' : 'csv')).toMatch(/^email: /);
    },
  );
});
