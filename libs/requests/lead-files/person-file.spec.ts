import { Readable } from 'node:stream';
import type { FileReading } from './lead-file-row.ts';
import { type PersonFileRow, readPersonFile } from './person-file.ts';
import type { PersonFileOptions } from './person-header.ts';

async function rowsOf(content: string | Buffer, options: Partial<PersonFileOptions> = {}) {
  const rows: PersonFileRow[] = [];
  const readings: FileReading[] = [];
  const bytes = Readable.from([Buffer.from(content as string)]);
  for await (const row of readPersonFile(bytes, { format: 'csv', ...options }, (reading) => readings.push(reading)))
    rows.push(row);
  expect(readings).toHaveLength(1);
  return { rows, reading: readings[0] };
}

async function personOf(content: string | Buffer, format: 'csv' | 'ndjson' = 'csv', country = 'US') {
  const { rows } = await rowsOf(content, { format, country });
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
    ['j1@x.example/j2@x.example', ['j1@x.example', 'j2@x.example'], false],
    ['j1@x.example/c|j2@x.example', ['j1@x.example'], true],
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

test.each([
  ['mailto:j1@x.example', ['j1@x.example'], false],
  ['mailto:j1@x.example?subject=Stop; MAILTO:j2@x.example', ['j1@x.example', 'j2@x.example'], false],
  ['J1@x.example.', ['J1@x.example'], false],
  ['j 1@x.example', ['1@x.example'], true],
  ['Ann j1@x.example', ['j1@x.example'], true],
  ['Ann <j1@x.example>, Ben Lee <j2@x.example>; j3@x.example j4@x.example', ['j1', 'j2', 'j3', 'j4'], false],
])('DLV-12: an address as programs write it: %s', async (cell, emails, isIncomplete) => {
  const person = await personOf(`email\n"${cell}"\n`);
  expect(person).toMatchObject({ emails: emails.map((email) => expect.stringContaining(email)) });
  expect(typeof person === 'object' && person.notUnderstood !== undefined).toBe(isIncomplete);
});

test.each([
  ['2125551158.0', 'US', '2125551158'],
  ['12125551158.00', 'US', '12125551158'],
  ['3012345678.0', 'DE', '+493012345678'],
])('DLV-12: a number that a spreadsheet saved as a decimal: %s', async (cell, country, telephone) => {
  expect(await personOf(`telephone\n${cell}\n`, 'csv', country)).toEqual({ telephones: [telephone], emails: [] });
});

describe('DLV-12: a cell of several lines', () => {
  const [ONE, TWO] = ['212 555 1147', '212 555 1148'];

  test.each([
    [`telephone,email\n"${ONE}\n${TWO}",a@x.example\n`, [ONE, TWO], ['a@x.example']],
    [
      `telephone,email\r\n"${ONE}\r\n${TWO}","a@x.example\r\nb@x.example"\r\n`,
      [ONE, TWO],
      ['a@x.example', 'b@x.example'],
    ],
    [`email,telephone\n"a@x.example\nb@x.example",${ONE}\n`, [ONE], ['a@x.example', 'b@x.example']],
    [`email,telephone\na@x.example,"${ONE}\n${TWO}"\n`, [ONE, TWO], ['a@x.example']],
  ])('has all its numbers and addresses read: %j', async (content, telephones, emails) => {
    expect(await personOf(content)).toEqual({ telephones, emails });
  });

  test.each([
    [`telephone,note,email\n"${ONE}\n${TWO}","a\nb",a@x.example\n`, [ONE, TWO]],
    [`telephone,email\n"${ONE}\n${TWO}",a@x.example,too many\n`, [ONE, TWO]],
  ])('also beside damage: %j', async (content, telephones) => {
    const { rows } = await rowsOf(content);
    const persons = rows.flatMap((row) => ('person' in row ? [row.person] : []));
    expect(persons.flatMap((person) => person.telephones)).toEqual(expect.arrayContaining(telephones));
  });
});

describe('DLV-12: a column of numbers or addresses', () => {
  const NUMBER = '212 557 2002';

  test.each(
    (
      'Phone (mobile)|Phone Number (home)|Phone (Home)|Phone - Mobile|Mobile (WhatsApp)|WhatsApp|WhatsApp No.|Phone Home|' +
      'Telephone Home|Lead Phone|Consumer Phone|DNC Phone|Best phone|Spouse phone|Your phone|phone_e164|Contact Number|' +
      'contact no|Phones|Telephones|Phone Numbers|Phone number/s|Do Not Call Number|Number to call|Téléphone|Telefon|Fax|' +
      'Home fax|spouseCell|Cell #|Tel.|Tels|customer tel 2|Phone or email'
    ).split('|'),
  )('%s is read', async (name) => {
    const { rows, reading } = await rowsOf(`Name,Email,"${name}"\nPat,a@x.example,${NUMBER}\n`);
    expect(reading).toMatchObject({ ignoredColumns: ['Name'] });
    expect(rows).toMatchObject([{ person: { telephones: [NUMBER], emails: ['a@x.example'] } }]);
    expect(rows).not.toMatchObject([{ person: { notUnderstood: expect.anything() } }]);
  });

  test.each(
    (
      'Emails|Email Addresses|E-mail (work)|Email 1 (home)|Email ID|Lead Email|Work e-mails|eMail2|Mail|e_mail|' +
      'Spouse mail|Phone or email'
    ).split('|'),
  )('%s is read', async (name) => {
    const { rows, reading } = await rowsOf(`Name,Phone,${name}\nPat,${NUMBER},pw@x.example\n`);
    expect(reading).toMatchObject({ ignoredColumns: ['Name'] });
    expect(rows).toMatchObject([{ person: { telephones: [NUMBER], emails: ['pw@x.example'] } }]);
  });

  test.each(['Phone type', 'Mobile carrier', 'Email opt-in', 'Automobile', 'Last phone call'])(
    '%s has nothing to tell where its cells are something else',
    async (name) => {
      for (const cell of ['mobile', 'yes', '1', '2026-03-01', '2026-03-01 10:00:00'])
        expect(await personOf(`Phone,${name}\n${NUMBER},${cell}\n`)).toEqual({ telephones: [NUMBER], emails: [] });
    },
  );

  test('may have both in one cell, where its name says so', async () => {
    expect(await personOf(`Name,Phone or email\nPat,"${NUMBER}; a@x.example"\n`)).toMatchObject({
      ...{ telephones: [NUMBER], emails: ['a@x.example'] },
    });
  });

  test.each([
    ['Reachable at', '212 557 2003'],
    ['Reachable at', '212 557 2003 / 212 557 2004'],
    ['Comment', 'or pat@x.example'],
  ])('that is named %s is ignored, and a row is told where it looks like %s', async (name, cell) => {
    const told = `"${name}" is not read, and has what looks like a telephone number or an e-mail address`;
    expect(await personOf(`Phone,${name}\n${NUMBER},${cell}\n`)).toEqual({
      ...{ telephones: [NUMBER], emails: [], notUnderstood: told },
    });
    expect(await personOf(`Phone,${name}\n,${cell}\n`)).toBe(told);
  });

  test.each([
    ['Record ID', '2125572003'],
    ['zip', '212557200'],
    ['ip', '123.45.67.890'],
    ['Since', '2026-03-01'],
    ['Address', '12345 Long Road, Building 678'],
    ['Amount', '1,234,567.00'],
  ])('is not what %s looks like: %s', async (name, cell) => {
    expect(await personOf(`Phone,${name}\n${NUMBER},"${cell}"\n`)).toEqual({ telephones: [NUMBER], emails: [] });
  });

  test('of JSON is read by the same names, and told in the same way', async () => {
    expect(
      await personOf(
        JSON.stringify({
          ...{
            phone: NUMBER,
            'Phones (old)': ['212 557 2004', 2125572005],
            reachable: '212 557 2006',
            id: '2125572007',
          },
          contact: { mobile: '212 557 2008', extraFields: { 'E-mail (work)': 'pw@x.example' } },
        }),
        'ndjson',
      ),
    ).toEqual({
      telephones: [NUMBER, '212 557 2008', '212 557 2004', '2125572005'],
      emails: ['pw@x.example'],
      notUnderstood: '"reachable" is not read, and has what looks like a telephone number or an e-mail address',
    });
  });
});

describe('DLV-12: a row that is damaged', () => {
  const ONE = '+1 212 555 0142';
  const found = (telephones: string[], emails: string[], notUnderstood: string) => ({
    telephones,
    emails,
    notUnderstood: expect.stringContaining(notUnderstood),
  });

  test.each([
    ['bytes that are no UTF-8', Buffer.from(`name,telephone\nJos\xe9,${ONE}\n`, 'latin1'), 'is not UTF-8'],
    ['NUL', `name,telephone\nJo\0,${ONE}\n`, 'NUL'],
    ['half a character of UTF-16', utf16(`name,telephone\nJo\ud800,${ONE}\n`), 'no text in UTF-16'],
    ['a cell too many', `name,telephone\nLee, Ann,${ONE}\n`, 'has 3 fields where the header has 2'],
    ['a cell too few', `name,telephone\n${ONE}\n`, 'has 1 fields where the header has 2'],
    ['a quote that nothing closes', `name,telephone\n"Ann,${ONE}\n`, 'a quote is opened but not closed'],
  ])('by %s suppresses the person, and the damage is told', async (_, content, damage) => {
    expect(await personOf(content)).toEqual(found([ONE], [], damage));
  });

  test('counts what stands beside its column as many places as there are cells too many', async () => {
    const header = 'id,name,telephone,email,note,other\n';
    expect(await personOf(`${header}212 555 0101,Lee, Ann,${ONE},a@x.example,see 212 555 0109,212 555 0102\n`)).toEqual(
      found([ONE], ['a@x.example'], 'has 7 fields'),
    );
    expect(await personOf(`${header}Lee,${ONE}; 212 555 0143,a@x.example/b@x.example,x,y\n`)).toEqual(
      found([ONE, '212 555 0143'], ['a@x.example', 'b@x.example'], 'has 5 fields'),
    );
  });

  test('counts only a cell of nothing but numbers or addresses where cells are missing or too many', async () => {
    expect(await personOf('name,telephone\nAnn, call 212 555 0101,b@x.example\n')).toBe(
      'has 3 fields where the header has 2',
    );
  });

  test('leaves out a number that is damaged itself', async () => {
    const row = (telephone: string) => Buffer.from(`telephone,email\n${telephone},a@x.example\n`, 'latin1');
    expect(await personOf(row('212 555\xff0142'))).toEqual(found([], ['a@x.example'], 'is not UTF-8'));
    expect(await personOf(Buffer.from('telephone\n212\xff555 0142\n', 'latin1'))).toMatch(/^is not UTF-8/);
  });

  test('that a quote makes of several rows suppresses all of them', async () => {
    const { rows } = await rowsOf('name,telephone\n"Ann,212 555 0101\nBen",212 555 0102\n"Eve,212 555 0103\n');
    const persons = rows.flatMap((row) => ('person' in row ? row.person.telephones : []));
    expect(persons).toEqual(['212 555 0101', '212 555 0102', '212 555 0103']);
  });

  test('of more than 1 MiB is rejected whole', async () => {
    const { rows } = await rowsOf(`name,telephone\n${'x'.repeat(1024 * 1024)},${ONE}\nAnn,${ONE}\n`);
    expect(rows).toMatchObject([
      { line: 2, reason: 'is longer than 1048576 bytes' },
      { person: { telephones: [ONE] } },
    ]);
  });

  test.each([
    [`{"telephone":"${ONE}","email":5,"contact":"Ann"}`, 'contact: is not an object; email: must be a text'],
    [Buffer.from(`{"telephone":"${ONE}","name":"Jos\xe9"}`, 'latin1'), 'is not UTF-8'],
  ])('of JSON counts as far as it is one: %s', async (content, damage) => {
    expect(await personOf(content, 'ndjson')).toEqual(found([ONE], [], damage));
  });

  test('of JSON that has null where nothing is known is whole', async () => {
    expect(await personOf(`{"telephone":"${ONE}","email":null}`, 'ndjson')).toEqual({ telephones: [ONE], emails: [] });
  });
});

/** Little-endian, with its byte order mark. */
function utf16(text: string): Buffer {
  return Buffer.from(`\ufeff${text}`, 'utf16le');
}

describe('DLV-12: a list without a header', () => {
  test.each([
    ['telephone numbers', ['212 555 0101', '(212) 555-0102', '+1 212 555 0103'], []],
    ['e-mail addresses', [], ['a@x.example', 'b@x.example']],
    ['both', ['212 555 0101'], ['a@x.example']],
  ])('is read if it has one column, of %s', async (_, telephones, emails) => {
    const { rows, reading } = await rowsOf(`${[...telephones, ...emails].join('\r\n')}\r\n`);
    expect(rows.flatMap((row) => ('person' in row ? row.person.telephones : []))).toEqual(telephones);
    expect(rows.flatMap((row) => ('person' in row ? row.person.emails : []))).toEqual(emails);
    expect(rows.map(({ line }) => line)).toEqual(rows.map((_, index) => index + 1));
    expect(reading).toMatchObject({ withoutHeader: true, ignoredColumns: [] });
  });

  test('may have addresses as mail programs copy them, with a name in quotes', async () => {
    const { rows } = await rowsOf('"Pat" <a@x.example>\n"Lee, Pat" <b@x.example>\nPat <c@x.example>\n');
    expect(rows).toMatchObject(
      ['a', 'b', 'c'].map((name) => ({ person: { emails: [`${name}@x.example`], telephones: [] } })),
    );
    expect(rows.filter((row) => 'person' in row && row.person.notUnderstood)).toEqual([]);
  });

  test.each(['info@mobile-phones.example\n', 'a@email.example\n'])(
    'is no header where an address has a word for one in it: %s',
    async (content) => {
      expect(await personOf(content)).toMatchObject({ emails: [content.trim()] });
    },
  );

  test('tells which rows are something else', async () => {
    const { rows } = await rowsOf('"212 555 0101"\nnobody\n212 555 0102,Ann\n');
    expect(rows).toMatchObject([
      { person: { telephones: ['212 555 0101'] } },
      { line: 2, reason: 'telephone: not a telephone number' },
      { person: { telephones: ['212 555 0102'], notUnderstood: 'has 2 fields where the first line has 1' } },
    ]);
  });

  test('has numbers of the country that is named', async () => {
    const { rows } = await rowsOf('020 7946 0001\n', { country: 'GB' });
    expect(rows).toMatchObject([{ person: { telephones: ['+442079460001'] } }]);
  });

  test.each([
    ['212 555 0101,212 555 0102\n', /looks like a person.*write a line with the names of the columns in front/],
    ['Ann,a@x.example\n', /looks like a person/],
    ['call 212 555 0101\n', /looks like a person/],
    ['020 7946 0001\n', /looks like a person.*with its country/],
    ['Do not call\n212 555 0101\n', /map one to telephone or email/],
    ['Mobile Homes Ltd,212 555 0101\n', /looks like a person/],
    ['mobile,212 555 0101\n', /looks like a person/],
  ])('is refused where nobody can know what it says: %j', async (content, why) => {
    await expect(rowsOf(content)).rejects.toThrow(why);
    await expect(rowsOf(content)).rejects.not.toThrow(/0101|x\.example/);
  });

  test('a column that is named by a mapping needs its header', async () => {
    await expect(rowsOf('212 555 0101\n', { columns: [['telephone', 'Tel']] })).rejects.toThrow('no column "Tel"');
  });
});

test('DLV-12: the refusal of unknown columns says what a list of persons has', async () => {
  const refused = rowsOf('phone,shoe size\n', { unknownColumns: 'refuse' });
  await expect(refused).rejects.toThrow(/"shoe size"; map those with telephone numbers to telephone/);
  await expect(refused).rejects.not.toThrow(/firstName|extra fields/);
});
