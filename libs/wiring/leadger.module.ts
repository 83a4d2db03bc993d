import { type DynamicModule, Inject, Module, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';
import type { EventStore } from '#event-store/port';
import { type Clock, systemClock } from '#gateways/clock';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { stripePayments } from '#gateways/stripe-payments';
import { ProcessEngine } from '#processes/engine/engine';
import type { Vault } from '#vault/vault';
import type { Leases } from './leases.ts';
import { Ledger } from './ledger.ts';
import { LedgerCommand, LedgerCommandHandler } from './ledger-command.ts';
import { operationsElsewhere, operationsOf } from './operations.ts';
import { createReactions } from './reactions.ts';
import { Requests } from './requests.ts';
import type { Stores } from './stores.ts';
import { SupportRequests } from './support.ts';
import { CLOCK, EVENT_STORE, OPERATIONS, READ_MODELS, VAULT, WORK } from './tokens.ts';
import { Worker } from './worker.ts';

const STORES = Symbol('Stores');

/** Processes and projections, as far as they run in this program. */
export interface Work {
  /** Rejects when the log cannot be read any more; resolves when it is stopped. */
  run(): Promise<void>;
  stop(): Promise<void>;
}

export interface LeadgerOptions {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: Stripe where `STRIPE_SECRET_KEY` is set, else the sandbox. */
  readonly payments?: PaymentGateway;
  /** Whether processes and projections run here; default: they do. Without them commands and reads are all there is. */
  readonly works?: boolean;
  /** Where there are several workers: how they share the work. Default: there is one, and all of it is its own. */
  readonly leases?: Leases;
}

/**
 * A whole lead store as Nest providers, on stores that are open already. Projections and processes run once their
 * owner starts them (`startLeadger`); when the application is closed they are stopped, and the stores are closed last.
 */
@Module({})
export class LeadgerModule implements OnApplicationShutdown {
  readonly #stores: Stores;
  readonly #work: Work;

  constructor(@Inject(STORES) stores: Stores, @Inject(WORK) work: Work) {
    this.#stores = stores;
    this.#work = work;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#work.stop();
    await this.#stores.close();
  }

  static on(
    stores: Stores,
    { clock = systemClock(), payments = paymentsOf(process.env), works = true, leases }: LeadgerOptions = {},
  ): DynamicModule {
    const send = (bus: CommandBus) => (order: LedgerCommand['order']) => bus.execute(new LedgerCommand(order));
    const work = works ? whoWorks({ clock, payments, leases, send }) : idle(leases);
    return {
      module: LeadgerModule,
      global: true,
      imports: [CqrsModule.forRoot()],
      providers: [
        { provide: STORES, useValue: stores },
        { provide: EVENT_STORE, useValue: stores.events },
        { provide: VAULT, useValue: stores.vault },
        { provide: READ_MODELS, useValue: stores.readModels },
        { provide: CLOCK, useValue: clock },
        { provide: Ledger, inject: [EVENT_STORE], useFactory: (store: EventStore) => new Ledger(store) },
        {
          provide: Requests,
          inject: [Ledger, VAULT, CommandBus],
          useFactory: (ledger: Ledger, vault: Vault, bus: CommandBus) =>
            new Requests({ ledger, vault, clock, send: send(bus) }),
        },
        {
          provide: SupportRequests,
          inject: [Ledger, VAULT, CommandBus],
          useFactory: (ledger: Ledger, vault: Vault, bus: CommandBus) =>
            new SupportRequests({ ledger, vault, clock, send: send(bus) }),
        },
        LedgerCommandHandler,
        ...work,
      ],
      exports: [
        EVENT_STORE,
        VAULT,
        READ_MODELS,
        CLOCK,
        Ledger,
        Requests,
        SupportRequests,
        CqrsModule,
        ...work.map(tokenOf),
      ],
    };
  }
}

const paymentsOf = ({ STRIPE_SECRET_KEY: secretKey }: NodeJS.ProcessEnv): PaymentGateway =>
  secretKey ? stripePayments({ secretKey }) : sandboxPayments();

type FactoryProvider = Extract<Provider, { useFactory: unknown }>;
const tokenOf = ({ provide }: FactoryProvider) => provide;

interface WorkNeeds {
  readonly clock: Clock;
  readonly payments: PaymentGateway;
  readonly leases: Leases | undefined;
  readonly send: (bus: CommandBus) => Parameters<typeof createReactions>[0]['send'];
}

function whoWorks({ clock, payments, leases, send }: WorkNeeds): FactoryProvider[] {
  if (!leases)
    return [
      {
        provide: ProcessEngine,
        inject: [EVENT_STORE, Ledger, CommandBus],
        useFactory: (store: EventStore, ledger: Ledger, bus: CommandBus) =>
          createReactions({ store, ledger, clock, payments, send: send(bus) }),
      },
      {
        provide: WORK,
        inject: [ProcessEngine, READ_MODELS],
        useFactory: (engine: ProcessEngine, readModels: Stores['readModels']): Work => ({
          run() {
            readModels.start();
            return engine.start();
          },
          stop: () => engine.stop(),
        }),
      },
      { provide: OPERATIONS, inject: [ProcessEngine], useFactory: operationsOf },
    ];
  return [
    {
      provide: WORK,
      inject: [EVENT_STORE, Ledger, CommandBus, READ_MODELS],
      useFactory: (store: EventStore, ledger: Ledger, bus: CommandBus, readModels: Stores['readModels']) =>
        new Worker({
          leases,
          ledger,
          readModels,
          createEngine: (leaseOf) => createReactions({ store, ledger, clock, payments, send: send(bus), leaseOf }),
        }),
    },
    { provide: OPERATIONS, inject: [WORK], useFactory: (worker: Worker) => worker.operations() },
  ];
}

const idle = (leases: Leases | undefined): FactoryProvider[] => [
  { provide: WORK, useFactory: (): Work => ({ run: async () => {}, stop: async () => {} }) },
  ...(leases ? [{ provide: OPERATIONS, useFactory: () => operationsElsewhere(leases) }] : []),
];
