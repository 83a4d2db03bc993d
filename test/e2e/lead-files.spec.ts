import { type StatedFile, statedFiles } from '#test/lead-files';
import { type Server, startServer } from './server.ts';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const upload = ({ bytes, query, contentType = 'text/csv' }: StatedFile) =>
  server.call(
    'POST',
    `/api/leads/batches?${new URLSearchParams({ leadTypeId: 'exclusive-aged', source: 'files', ...(query as Record<string, string>) })}`,
    bytes,
    { 'content-type': contentType },
  );

describe.each(statedFiles)('$name: $about', (file) => {
  const { rows = 0, taken, known = 0, duplicate, rejected, fails, reading = { encoding: 'utf-8' } } = file;

  test('over HTTP each of its rows is taken, known, a duplicate or rejected, as it is stated beside it', async () => {
    const { status, body } = await upload(file);
    if (fails !== undefined) {
      expect({ status, code: body.code, detail: body.detail }).toEqual({
        status: 400,
        code: 'not-a-file-of-leads',
        detail: expect.stringContaining(fails),
      });
      return;
    }
    expect(status).toBe(200);
    const counts = { rows, received: taken, known, duplicates: duplicate, rejected };
    expect(body).toMatchObject({ ...counts, reading });
    const rejections = body.rejections.map(({ line, reason }: { line: number; reason: string }) => [line, reason]);
    expect(Object.fromEntries(rejections)).toEqual({ ...file.rejections, ...file.refusals });
  });
});

test('all files again bring no lead', async () => {
  for (const file of statedFiles.filter(({ fails }) => fails === undefined)) {
    const { taken = 0, known = 0, rows, duplicate = 0, rejected } = file;
    const { body } = await upload(file);
    expect({ name: file.name, ...body }).toMatchObject({
      name: file.name,
      rows,
      received: 0,
      known: taken + known + duplicate,
      rejected,
    });
  }
});

test('a file in a charset that is not read is answered with 415', async () => {
  const { status, body } = await server.call('POST', '/api/leads/batches', 'phone\n', {
    'content-type': 'text/csv; charset=koi8-r',
  });
  expect({ status, code: body.code }).toEqual({ status: 415, code: 'unsupported-media-type' });
});

test.each([
  ['map=telephone', 'map is not field=Column'],
  ['map=shoe=phone', 'there is no field shoe'],
  ['map=telephone=none', 'there is no column "none"'],
  ['country=XX', 'there is no country XX'],
  ['timeZone=IST', 'timeZone: must be the IANA name of a time zone'],
])('a file with %s is answered with 400', async (query, detail) => {
  const path = `/api/leads/batches?leadTypeId=exclusive-aged&source=files&${query}`;
  const { status, body } = await server.call('POST', path, 'phone\n+1 212 555 0142\n', { 'content-type': 'text/csv' });
  expect({ status, detail: body.detail }).toEqual({ status: 400, detail: expect.stringContaining(detail) });
});
