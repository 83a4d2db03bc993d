import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { CANCEL_REQUEST_CODE, CANCEL_REQUEST_LENGTH, PGLiteSocketHandler } from '@electric-sql/pglite-socket';
import { ANALYTICS } from '#read-models/engine/views';

export type SqlReply =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'cannot-listen'; readonly message: string };

/** Settings of every connection. It may change them. */
const settings = [
  `search_path=${ANALYTICS}`,
  'timezone=UTC',
  'default_transaction_read_only=on',
  'shared_buffers=32MB',
];

/** Runs in a worker thread, so that it can be ended during a long query. */
async function main(): Promise<void> {
  const { directory, port } = workerData as { directory: string; port: number };
  const db = await PGlite.create({
    dataDir: directory,
    startParams: [...PGlite.defaultStartParams, ...settings.flatMap((setting) => ['-c', setting])],
  });
  const server = createServer(inTurn((socket) => serve(db, socket)));
  server.on('error', ({ message }) => reply({ kind: 'cannot-listen', message }));
  server.listen(port, '127.0.0.1', () => reply({ kind: 'listening', port: portOf(server) }));
}

const reply = (message: SqlReply): void => parentPort?.postMessage(message);

const portOf = (server: Server): number => (server.address() as { port: number }).port;

/**
 * The database has one session, so two connections at once would mix their answers. The next one waits until the one
 * before is closed.
 */
function inTurn(serve: (socket: Socket) => Promise<void>): (socket: Socket) => Promise<void> {
  let before = Promise.resolve();
  return async (socket) => {
    // A broken connection is no error of ours.
    socket.on('error', () => {});
    const first = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    socket.pause();
    if (isCancelRequest(first)) {
      // Queries cannot be cancelled. The client waits until we close the connection.
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
  // Removes what the connection before left: a transaction, settings, prepared statements.
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

/** Serves one connection with one message at a time. A refusal by PostgreSQL is an answer, not a failure. */
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
