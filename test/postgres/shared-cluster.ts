import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { startCluster } from './cluster.ts';

/** Where test workers ask Jest's own process for the server that all share; set before they start. */
const ADDRESS = 'LEADGER_TEST_CLUSTER_PORT';

/**
 * Offers a PostgreSQL server to the test workers. It is started when the first of them asks, so that a run that needs
 * none does not wait for one.
 * @returns what stops it
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

/** @returns the address of the superuser's database, on a server that may have been started for this */
export async function urlOfCluster(): Promise<string> {
  const socket = connect(Number(process.env[ADDRESS]), '127.0.0.1');
  const { url, error } = JSON.parse(await text(socket));
  if (error) throw new Error(error);
  return url;
}
