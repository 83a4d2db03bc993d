import { decode, type Fact } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { MovedClock } from '#gateways/clock';
import { CommandHandler } from '#requests/command-handler';
import { prepareNewStore } from '#requests/first-start';
import type { Dispatch } from '#requests/request-tools';
import { createRequests, type Requests } from '#requests/requests';
import { openVault } from '#vault/key-vault';

interface Machine {
  readonly handler: CommandHandler;
  readonly requests: Requests;
}

/** Two machines of a new store: each has a command handler of its own, and they share log, keys and clock. */
export type TwoMachines = Awaited<ReturnType<typeof openTwoMachines>>;

export async function openTwoMachines(start: Instant) {
  const [vault, events] = [await openVault({}), await openEmbeddedStore()];
  const clock = new MovedClock(start);
  /** What a machine does instead of sending a command. */
  const instead = { sending: (execute: Dispatch): Dispatch => execute };
  const open = (): Machine => {
    const handler = new CommandHandler(events);
    const dispatch: Dispatch = (command) => instead.sending(handler.execute.bind(handler))(command);
    return { handler, requests: createRequests({ streams: handler.streams, vault, clock, dispatch }) };
  };
  const [one, other] = [open(), open()];
  await prepareNewStore(one.requests);
  return Object.assign(instead, {
    ...{ events, vault, clock },
    on: (machine: number): Machine => (machine % 2 === 0 ? one : other),
    async log(): Promise<Fact[]> {
      const facts: Fact[] = [];
      for await (const stored of events.readAll()) facts.push(decode(stored));
      return facts;
    },
    async close(): Promise<void> {
      await events.close();
      await vault.close();
    },
  });
}
