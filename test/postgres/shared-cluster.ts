import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { startCluster } from './cluster.ts';

/** Test workers ask Jest's main process for the shared server on this port. It is set before they start. */
const ADDRESS = 'LEADGER_TEST_CLUSTER_PORT';

/**
 * Offers a PostgreSQL server to the test workers. The first request starts it, so that a run without such tests does not
 * wait for it.
 * @returns a function that stops the server
 */
export async function offerCluster(): Promise<() => void> {
  let started: ReturnType<typeof startCluster> | undefined;
  const door = createServer((socket) => {
    started ??= startCluster();
    started.then(
      ({ url }) => socket.end(JSON.stringify({ url })),
      (error) => socket.end(JSON.stringify({ error: String(error) })),
    );
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  door.unref();
  process.env[ADDRESS] = String((door.address() as AddressInfo).port);
  return () => {
    door.close();
    started?.then(({ stop }) => stop());
  };
}

/** @returns the address of the superuser's database, and starts the server if necessary */
export async function urlOfCluster(): Promise<string> {
  const socket = connect(Number(process.env[ADDRESS]), '127.0.0.1');
  const { url, error } = JSON.parse(await text(socket));
  if (error) throw new Error(error);
  return url;
}
