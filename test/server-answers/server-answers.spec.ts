import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { startWireNode, type WireNode } from '#event-store/wire-node/wire-node';
import { answerOf, cases } from './answers-of.ts';

const answers = JSON.parse(readFileSync(join(import.meta.dirname, 'answers.json'), 'utf8'));
const names = Object.keys(cases);

/** `answers.json` is what EventStoreDB 23.10.6 answered: `npm run server-answers`. */
describe('the wire node answers like the server', () => {
  let store: EventStore;
  let node: WireNode;

  beforeAll(async () => {
    store = await openEmbeddedStore();
    node = await startWireNode({ store, writable: true });
  });
  afterAll(async () => {
    await node.close();
    await store.close();
  });

  it.each(names)('%s', async (name) => {
    expect(await answerOf(`127.0.0.1:${node.port}`, name)).toEqual(answers[name]);
  });
});

const { EVENTSTORE_URL } = process.env;
if (EVENTSTORE_URL)
  describe(`the server at ${EVENTSTORE_URL} answers as it was recorded`, () => {
    const address = new URL(EVENTSTORE_URL).host;
    it.each(names)('%s', async (name) => {
      expect(await answerOf(address, name)).toEqual(answers[name]);
    });
  });
else test.skip('the answers of a server: name one in EVENTSTORE_URL', () => {});
