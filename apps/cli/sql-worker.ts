import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { CANCEL_REQUEST_CODE, CANCEL_REQUEST_LENGTH, PGLiteSocketHandler } from '@electric-sql/pglite-socket';
import { ANALYTICS } from '#read-models/engine/views';

export type SqlReply =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'cannot-listen'; readonly message: string };

/** Of every connection, until it says otherwise. */
const settings = [
  `search_path=${ANALYTICS}`,
  'timezone=UTC',
  'default_transaction_read_only=on',
  'shared_buffers=32MB',
];

/** In a thread of its own: a query takes as long as it takes, and the thread can be ended meanwhile. */
async function main(): Promise<void> {
  const { directory, port } = workerData as { directory: string; port: number };
  const db = await PGlite.create({
    dataDir: directory,
    startParams: [...PGlite.defaultStartParams, ...settings.flatMap((setting) => ['-c', setting])],
  });
  const server = createServer(inTurn((socket) => serve(db, socket)));
  server.on('error', ({ message }) => tell({ kind: 'cannot-listen', message }));
  server.listen(port, '127.0.0.1', () => tell({ kind: 'listening', port: portOf(server) }));
}

const tell = (reply: SqlReply): void => parentPort?.postMessage(reply);

const portOf = (server: Server): number => (server.address() as { port: number }).port;

/**
 * The database has one session: two connections at once would answer each other's questions. So the next one waits until
 * the one before is closed.
 */
function inTurn(serve: (socket: Socket) => Promise<void>): (socket: Socket) => Promise<void> {
  let before = Promise.resolve();
  return async (socket) => {
    // Whoever goes away goes away.
    socket.on('error', () => {});
    const first = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    socket.pause();
    if (isCancelRequest(first)) {
      // Nothing can be cancelled, and the one who asks waits for our hanging up.
      socket.destroy();
      return;
    }
    socket.unshift(first);
    before = before.then(() => serve(socket));
    await before;
  };
}

const isCancelRequest = (packet: Buffer): boolean =>
  packet.length >= CANCEL_REQUEST_LENGTH && packet.readInt32BE(4) === CANCEL_REQUEST_CODE;

/** Resolves when the connection is closed. @throws when the database broke */
async function serve(db: PGlite, socket: Socket): Promise<void> {
  // Nothing is left of who was here before: no transaction, no settings, no prepared statements.
  if (db.isInTransaction()) await db.exec('ROLLBACK');
  await db.exec('DISCARD ALL');
  if (socket.destroyed) return;
  const broken = Promise.withResolvers<never>();
  const handler = new PGLiteSocketHandler({ queryQueue: queueOf(db, broken.reject), closeOnDetach: true });
  const over = Promise.race([once(handler, 'close'), once(handler, 'error'), broken.promise]);
  await handler.attach(socket);
  socket.resume();
  await over;
}

type Queue = ConstructorParameters<typeof PGLiteSocketHandler>[0]['queryQueue'];

/** Of one connection at a time, which brings one message at a time. What PostgreSQL refuses is an answer, no failure. */
function queueOf(db: PGlite, broken: (error: Error) => void): Queue {
  const queue: Pick<Queue, 'enqueue' | 'clearQueueForHandler' | 'clearTransactionIfNeeded'> = {
    async enqueue(_, message, onData) {
      let bytes = 0;
      const onRawData = (data: Uint8Array) => {
        bytes += data.length;
        onData(data);
      };
      await db.runExclusive(() => db.execProtocolRawStream(message, { onRawData })).catch(broken);
      return bytes;
    },
    clearQueueForHandler() {},
    async clearTransactionIfNeeded() {},
  };
  return queue as Queue;
}

await main();
