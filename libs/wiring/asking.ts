import type { FactoryProvider } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Activities } from '#domain/kernel/activities';
import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { MailGateway } from '#gateways/mail';
import type { PaymentNotices } from '#gateways/payment-notices';
import type { ProviderLimits } from '#gateways/payments';
import type { WebhookGateway } from '#gateways/webhooks';
import type { ReadModels } from '#read-models/read-models';
import { CheckedSubjects, subjectsOver } from '#requests/checked-subjects';
import { CommandHandler } from '#requests/command-handler';
import { Identities } from '#requests/identities';
import type { QueryDependencies } from '#requests/query-tools';
import type { Dispatch, RequestDependencies } from '#requests/request-tools';
import { createRequests } from '#requests/requests';
import type { RunningProcesses } from '#requests/running-processes';
import { StreamCache } from '#requests/stream-cache';
import type { SessionStore } from '#sessions/session-store';
import type { Vault } from '#vault/vault';
import { BusCommand, BusOperation, BusQuery } from './buses.ts';
import {
  ACTIVITIES,
  CLOCK,
  EVENT_STORE,
  FAILING_LIMIT,
  MAILS,
  NOTICES,
  OPERATIONS,
  PROVIDER_LIMITS,
  QUERIES,
  READ_MODELS,
  REQUESTS,
  RUNNING_PROCESSES,
  SESSIONS,
  VAULT,
  WEBHOOKS,
} from './tokens.ts';

const REQUEST_DEPENDENCIES = Symbol('RequestDependencies');
const QUERY_DEPENDENCIES = Symbol('QueryDependencies');

export const dispatchOver =
  (bus: CommandBus): Dispatch =>
  (addressed) =>
    bus.execute(new BusCommand(addressed));

/** Commands, operations and queries go over their bus to the one handler that checks their rights. */
export const asking: readonly FactoryProvider[] = [
  {
    provide: CommandHandler,
    inject: [EVENT_STORE, ACTIVITIES],
    useFactory: (store: EventStore, activities: Activities) => new CommandHandler(store, undefined, activities),
  },
  { provide: StreamCache, inject: [CommandHandler], useFactory: ({ streams }: CommandHandler) => streams },
  {
    provide: REQUEST_DEPENDENCIES,
    inject: [StreamCache, VAULT, CLOCK, PROVIDER_LIMITS, WEBHOOKS, CommandBus],
    useFactory: (
      streams: StreamCache,
      vault: Vault,
      clock: Clock,
      providerLimits: ProviderLimits | undefined,
      webhooks: WebhookGateway,
      bus: CommandBus,
    ): RequestDependencies => ({
      streams,
      vault,
      clock,
      providerLimits,
      refusesWebhook: (url) => webhooks.refuses(url),
      dispatch: dispatchOver(bus),
    }),
  },
  {
    provide: Identities,
    inject: [StreamCache, SESSIONS, CLOCK],
    useFactory: (streams: StreamCache, sessions: SessionStore, clock: Clock) =>
      new Identities({ streams, sessions, clock }),
  },
  {
    provide: QUERY_DEPENDENCIES,
    inject: [
      REQUEST_DEPENDENCIES,
      EVENT_STORE,
      READ_MODELS,
      RUNNING_PROCESSES,
      SESSIONS,
      Identities,
      MAILS,
      NOTICES,
      FAILING_LIMIT,
    ],
    useFactory: (
      requests: RequestDependencies,
      events: EventStore,
      readModels: ReadModels,
      processes: RunningProcesses,
      sessions: SessionStore,
      identities: Identities,
      mails: MailGateway | undefined,
      notices: PaymentNotices,
      failingMilliseconds: number | undefined,
    ): QueryDependencies => ({
      ...requests,
      events,
      readModels,
      processes,
      sessions,
      identities,
      mails,
      notices,
      ...(failingMilliseconds !== undefined && { failingMilliseconds }),
    }),
  },
  { provide: REQUESTS, inject: [REQUEST_DEPENDENCIES], useFactory: createRequests },
  {
    provide: CheckedSubjects,
    inject: [QUERY_DEPENDENCIES],
    useFactory: (dependencies: QueryDependencies) => new CheckedSubjects(dependencies),
  },
  {
    provide: QUERIES,
    inject: [QueryBus],
    useFactory: (bus: QueryBus) => subjectsOver((query) => bus.execute(new BusQuery(query))),
  },
  {
    provide: OPERATIONS,
    inject: [CommandBus],
    useFactory: (bus: CommandBus) => subjectsOver((operation) => bus.execute(new BusOperation(operation))).programs,
  },
];
