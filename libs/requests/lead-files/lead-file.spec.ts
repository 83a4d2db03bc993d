import { Readable } from 'node:stream';
import fc from 'fast-check';
import { readLeadFile } from './lead-file.ts';
import type { LeadFileOptions, LeadFileRow } from './lead-file-row.ts';

const csv = { format: 'csv', leadTypeId: 'exclusive-fresh', source: 'a list' } as const;
const ndjson = { ...csv, format: 'ndjson' } as const;

async function read(content: string | Buffer, options: LeadFileOptions = csv, chunkBytes = 7): Promise<LeadFileRow[]> {
  const bytes = Buffer.from(content);
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  const rows: LeadFileRow[] = [];
  for await (const row of readLeadFile(Readable.from(chunks), options)) rows.push(row);
  return rows;
}

const resultsOf = (rows: readonly LeadFileRow[]) =>
  rows.map((row) =>
    'lead' in row ? (row.lead.contact.telephone ?? row.lead.contact.email) : `${row.line}: ${row.reason}`,
  );

describe('leads in CSV', () => {
  it('are read with any usual column names, with a byte order mark, CRLF, quotes and empty lines', async () => {
    const rows = await read(
      '\uFEFF"First Name",Last,Phone,E-mail,"ZIP"\r\n\r\nAnn,"O""Neil, Jr.",212 555 0142,ann@example.com,10001\r\nBob,Ray,,bob@example.com,\r\n',
    );
    expect(rows.map((row) => 'lead' in row && row.lead)).toEqual([
      {
        leadTypeId: 'exclusive-fresh',
        source: 'a list',
        contact: {
          firstName: 'Ann',
          lastName: 'O"Neil, Jr.',
          telephone: '212 555 0142',
          email: 'ann@example.com',
          postalCode: '10001',
        },
      },
      {
        leadTypeId: 'exclusive-fresh',
        source: 'a list',
        contact: { firstName: 'Bob', lastName: 'Ray', email: 'bob@example.com' },
      },
    ]);
    expect(rows.map(({ line }) => line)).toEqual([3, 4]);
  });

  it.each([
    ['CR', '\r'],
    ['CRLF', '\r\n'],
    ['LF', '\n'],
  ])('lose no row of a file whose lines end in %s, wherever the file is cut', async (_, end) => {
    const lines = ['phone,first name', '212 555 0101,Ann', '212 555 0102,Bob', '', '212 555 0103,"C', 'D"', 'x'];
    const expected = ['212 555 0101', '212 555 0102', '212 555 0103', expect.stringMatching(/^7: /)];
    for (let chunkBytes = 1; chunkBytes < 20; chunkBytes += 1)
      for (const last of ['', end])
        expect(resultsOf(await read(lines.join(end) + last, csv, chunkBytes))).toEqual(expected);
  });

  it('loses no row of a file with mixed ends of lines', async () => {
    const rows = await read('phone\r\n212 555 0101\r212 555 0102\r212 555 0103\n');
    expect(resultsOf(rows)).toEqual(['212 555 0101', '212 555 0102', '212 555 0103']);
  });

  it('may name their lead type and source themselves', async () => {
    const [row] = await read(
      'phone,lead type,source,captured at\n212 555 0142,shared-aged,web,2026-05-01T09:30:00-04:00\n',
    );
    expect(row && 'lead' in row && row.lead).toEqual({
      leadTypeId: 'shared-aged',
      source: 'web',
      capturedAt: '2026-05-01T13:30:00.000Z',
      contact: { telephone: '212 555 0142' },
    });
  });

  it('do not affect other rows when they are wrong', async () => {
    const rows = await read(
      [
        'phone,email,capturedAt',
        '212 555 0101,,2026-05-01T09:30:00Z',
        '212 555 0102,',
        'none,,',
        ',nobody,',
        ',,',
        '212 555 0103,,2026-05-01',
        '212 555 0104,a@example.com,,more',
        '212 555 0105,,',
      ].join('\n'),
    );
    expect(resultsOf(rows)).toEqual([
      '212 555 0101',
      '3: has 2 fields where the header has 3',
      '4: telephone: not a telephone number',
      '5: email: Invalid email address',
      '6: a contact has a telephone number or an e-mail address',
      '7: capturedAt: "2026-05-01" is no instant with a zone, like 2026-05-01T09:30:00-04:00',
      '8: has 4 fields where the header has 3',
      '212 555 0105',
    ]);
  });

  it('may have fields of several lines', async () => {
    const rows = await read('phone,comment\n212 555 0101,"one\ntwo, ""three"""\n212 555 0102,x\n');
    expect(rows.map((row) => 'lead' in row && row.lead.contact.comment)).toEqual(['one\ntwo, "three"', 'x']);
    expect(rows.map(({ line }) => line)).toEqual([2, 4]);
  });

  it.each([
    ['at the end', 'phone,comment\n212 555 0101,"open\n212 555 0102,x\n212 555 0103,y'],
    ['before another quoted row', 'phone,comment\n212 555 0101,"open\n212 555 0102,x\n212 555 0103,"y\nz"'],
  ])('a quote that is never closed, %s, costs one row', async (_, content) => {
    expect(resultsOf(await read(content))).toEqual([
      '2: a quote is opened but not closed',
      '212 555 0102',
      '212 555 0103',
    ]);
  });

  it('a quote that is never closed, before a text that has no leads, ends the reading early', async () => {
    const content = `phone,comment\n212 555 0101,x\n212 555 0102,"open\n${'a line of a text\n'.repeat(100_000)}`;
    const read: number[] = [];
    const reading = async () => {
      for await (const { line } of readLeadFile(Readable.from([Buffer.from(content)]), csv)) read.push(line);
    };
    await expect(reading()).rejects.toThrow(/^line 3: a quote is opened but not closed, and none of the 1000 rows/);
    expect(read.length).toBeLessThan(1100);
  });

  it('a row of 10 MB costs one row and no memory', async () => {
    const rows = await read(
      `phone,comment\n212 555 0101,${'x'.repeat(10 * 1024 * 1024)}\n212 555 0102,y\n`,
      csv,
      65_536,
    );
    expect(resultsOf(rows)).toEqual(['2: is longer than 1048576 bytes', '212 555 0102']);
    expect(rows[0]?.text.length).toBeLessThan(300);
  });

  it('in Latin-1 are distinguished from UTF-8, and read when the request says so', async () => {
    const content = Buffer.from('first name,phone\nJos\xe9,212 555 0101\nAnn,212 555 0102\n', 'latin1');
    expect(resultsOf(await read(content))).toEqual(['2: is not UTF-8: is the file in Latin-1?', '212 555 0102']);
    const rows = await read(content, { ...csv, encoding: 'latin1' });
    expect(rows.map((row) => 'lead' in row && row.lead.contact.firstName)).toEqual(['José', 'Ann']);
  });

  it.each([
    ['nothing in it', '', 'the file is empty'],
    ['no way to reach anybody', 'first name,city\n', 'no column with a telephone number or an e-mail address'],
    ['a column that is none of ours', 'phone,shoe size\n', 'unknown columns: "shoe size"'],
    ['two columns of one name', 'phone,phone\n', 'more than one column says telephone'],
    ['two columns of one meaning', 'phone,mobile\n', 'more than one column says telephone'],
    ['an open quote in its header', 'phone,"email\n', 'a quote is opened'],
    ['UTF-16', Buffer.from('phone\n1\n', 'utf16le'), 'UTF-16'],
  ])('a file with %s is refused as a whole', async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  it.each([
    ['source', { source: 'a\0b' }],
    ['source', { source: 'two\nlines' }],
    ['leadTypeId', { leadTypeId: 'no id' }],
  ])('a file for which a wrong %s is named is refused as a whole', async (field, wrong) => {
    await expect(read('phone\n212 555 0101\n', { ...csv, ...wrong })).rejects.toThrow(`${field}: must be`);
  });

  it('ends of lines in a cell are spaces, except in addresses and comments', async () => {
    const [row] = await read('phone,city,address,comment\n212 555 0101,"New\r\n York","Elm 1\nApt 2","a\tb"\n');
    expect(row && 'lead' in row && row.lead.contact).toMatchObject({
      city: 'New York',
      address: 'Elm 1\nApt 2',
      comment: 'a\tb',
    });
  });

  it('columns can be mapped, and unknown columns ignored', async () => {
    const options = { ...csv, columns: [['telephone', 'Tel 1']] as const, unknownColumns: 'ignore' as const };
    expect(resultsOf(await read('Tel 1,IP\n212 555 0101,127.0.0.1\n', options))).toEqual(['212 555 0101']);
    await expect(read('phone\n', { ...csv, columns: [['telephone', 'Tel 1']] as const })).rejects.toThrow(
      'no column "Tel 1"',
    );
    await expect(read('phone\n', { ...csv, columns: [['shoe', 'phone']] })).rejects.toThrow('no field shoe');
  });

  it('are the same for any division of the bytes into chunks', async () => {
    const content = '\uFEFFphone,comment\r\n212 555 0101,"ü\r\n""x"""\r\n212 555 0102,"open\r\n212 555 0103,é\r\n';
    const whole = await read(content, csv, 10_000);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (chunkBytes) => {
        expect(await read(content, csv, chunkBytes)).toEqual(whole);
      }),
    );
  });
});

/** How often other work had its turn while a file was read. */
async function turnsWhile(reading: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let next: NodeJS.Immediate;
  const take = () => {
    turns += 1;
    next = setImmediate(take);
  };
  next = setImmediate(take);
  await reading();
  clearImmediate(next);
  return turns;
}

describe('other requests have their turns while a file is read', () => {
  const long = (line: string) => `phone,email\n${line.repeat(40_000)}`;

  it.each([
    ['wrong rows', csv, long('12,\n')],
    ['ragged rows', csv, long('a,b,c\n')],
    ['empty lines', csv, long('\n').repeat(5)],
    ['right rows', csv, long('212 555 0101,\n')],
    ['lines of quotes', csv, `phone,email\n${`${'"'.repeat(999)}\n212 555 0101,\n`.repeat(1000)}`],
    ['empty objects', ndjson, long('{}\n')],
    ['no objects', ndjson, long('x\n')],
  ])('%s', async (_, options, content) => {
    const bytes = Buffer.from(content);
    const turns = await turnsWhile(async () => {
      for await (const _row of readLeadFile(Readable.from([bytes]), options));
    });
    expect(turns).toBeGreaterThan(5);
  });
});

describe('leads in NDJSON', () => {
  it('are one object per line', async () => {
    const rows = await read(
      [
        '{"contact":{"telephone":"212 555 0101"},"capturedAt":"2026-05-01T09:30:00Z"}',
        '',
        '{"contact":{"telephone":"212 555 0102"},"shoeSize":42}',
        '{"contact":{"telephone":42}}',
        '[]',
        'not json',
        '{"leadTypeId":"shared-aged","contact":{"email":"a@example.com"}}',
      ].join('\n'),
      ndjson,
    );
    expect(resultsOf(rows)).toEqual([
      '212 555 0101',
      '3: Unrecognized key: "shoeSize"',
      '4: contact.telephone: Invalid input: expected string, received number',
      '5: Invalid input: expected object, received array',
      '6: is not JSON',
      'a@example.com',
    ]);
  });
});
