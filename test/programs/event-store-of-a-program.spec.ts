import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEventStoreDb, type TestEventStoreDb } from '#test/event-stores/event-stores';
import { waitUntil } from '#test/wait-until';
import { Program } from './program.ts';

describe('a program on an event store of another machine', () => {
  let directory: string;
  let events: TestEventStoreDb;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'leadger-programs-'));
    events = await startEventStoreDb();
  });
  afterEach(async () => {
    await events.close();
    rmSync(directory, { recursive: true });
  });
  const start = (connectionString: string) =>
    new Program('standalone', ['--data', join(directory, 'data'), '--events', connectionString, '--port', '0']);

  test('ends with one line when something is wrong that does not mend by itself', async () => {
    const host = `localhost:${events.port}`;
    const refusals = [
      [
        `esdb://u:secret@${host}?tls=perhaps`,
        'the connection string of the event store says tls=perhaps, which is not true or false',
      ],
      [
        `esdb://u:secret@${host}?tlsCAFile=/nowhere`,
        'the connection string of the event store names a tlsCAFile that does not exist: /nowhere',
      ],
      [
        `esdb://u:secret@${host}`,
        `the event store cannot be used: ${host}: it does not speak TLS: say tls=false, or give it a certificate`,
      ],
    ];
    for (const [connectionString, why] of refusals)
      expect(await start(connectionString as string).ended).toMatchObject({
        code: 1,
        stdout: '',
        stderr: `leadger: ${why}\n`,
      });
  });

  test('waits for one that is away, says so, and serves when it is there', async () => {
    await events.close();
    const program = start(events.connectionString);
    const host = `127.0.0.1:${events.port}`;
    await waitUntil(() => program.stderr !== '');
    expect(program.stderr).toBe(`leadger: waiting for the event store: ${host}: connect ECONNREFUSED ${host}\n`);
    events = await startEventStoreDb(events.port);
    await program.says(/Leadger is ready/);
    expect((await program.stop()).code).toBe(0);
  });

  test('can be stopped while it is away', async () => {
    const program = start(events.connectionString);
    await program.says(/Leadger is ready/);
    await events.close();
    await waitUntil(() => program.stderr.includes('waiting for the event store'));
    expect((await program.stop()).code).toBe(0);
  });
});
