import type { AllStreamResolvedEvent, EventStoreDBClient, StreamingRead } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams, { type ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerFilter } from './translation.ts';

type Read = (request: ReadReq, ...others: unknown[]) => unknown;
type Creator = (grpc: { read: Read }) => unknown;
type CreateStream = (service: unknown, name: string, creator: Creator, cache?: unknown) => unknown;
type ReadAllOptions = NonNullable<Parameters<EventStoreDBClient['readAll']>[0]>;

/** The server filters reads of the log, too. The client has no option for it, so the filter is put into its request. */
export function readAllFiltered(
  client: EventStoreDBClient,
  options: ReadAllOptions,
  filter: ServerFilter,
): StreamingRead<AllStreamResolvedEvent> {
  const { GRPCStreamCreator: create } = client as unknown as { GRPCStreamCreator: CreateStream };
  const createFiltered: CreateStream = (service, name, creator, cache) => {
    const withFilter: Creator = (grpc) =>
      creator({ read: (request, ...others) => grpc.read(filtered(request, filter), ...others) });
    return create.call(client, service, name, withFilter, cache);
  };
  const filtering: EventStoreDBClient = Object.create(client, { GRPCStreamCreator: { value: createFiltered } });
  return filtering.readAll(options);
}

function filtered(request: ReadReq, { filterOn, ...names }: ServerFilter): ReadReq {
  const expression = new streams.ReadReq.Options.FilterOptions.Expression();
  if ('regex' in names) expression.setRegex(names.regex);
  else expression.setPrefixList([...names.prefixes]);
  const filter = new streams.ReadReq.Options.FilterOptions();
  if (filterOn === 'eventType') filter.setEventType(expression);
  else filter.setStreamIdentifier(expression);
  filter.setCount(new shared.Empty());
  filter.setCheckpointintervalmultiplier(1);
  const options = request.getOptions();
  options?.clearNoFilter();
  options?.setFilter(filter);
  return request;
}
