import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { startWireNode, type WireNode } from '#event-store/wire-node/wire-node';
import { waitUntil } from '#test/wait-until';
import { Program } from './program.ts';

describe('a program on an event store of another machine', () => {
  let directory: string;
  let store: EventStore;
  let node: WireNode;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'leadger-programs-'));
    store = await openEmbeddedStore();
    node = await startWireNode({ store, writable: true });
  });
  afterEach(async () => {
    await node.close();
    await store.close();
    rmSync(directory, { recursive: true });
  });
  const start = (events: string) =>
    new Program('standalone', ['--data', join(directory, 'data'), '--events', events, '--port', '0']);

  test('ends with one line when something is wrong that does not mend by itself', async () => {
    const host = `localhost:${node.port}`;
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
    for (const [events, why] of refusals)
      expect(await start(events as string).ended).toMatchObject({ code: 1, stdout: '', stderr: `leadger: ${why}\n` });
  });

  test('waits for one that is away, says so, and serves when it is there', async () => {
    await node.close();
    const program = start(node.connectionString);
    const host = `127.0.0.1:${node.port}`;
    await waitUntil(() => program.stderr !== '');
    expect(program.stderr).toBe(`leadger: waiting for the event store: ${host}: connect ECONNREFUSED ${host}\n`);
    node = await startWireNode({ store, writable: true, port: node.port });
    await program.says(/Leadger is ready/);
    expect((await program.stop()).code).toBe(0);
  });

  test('can be stopped while it is away', async () => {
    const program = start(node.connectionString);
    await program.says(/Leadger is ready/);
    await node.close();
    await waitUntil(() => program.stderr.includes('waiting for the event store'));
    expect((await program.stop()).code).toBe(0);
  });
});
