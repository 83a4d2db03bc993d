import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';
import type { EventStore } from '#event-store/port';
import { type Clock, systemClock } from '#gateways/clock';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { ProcessEngine } from '#processes/engine/engine';
import type { Vault } from '#vault/vault';
import { Ledger } from './ledger.ts';
import { LedgerCommand, LedgerCommandHandler } from './ledger-command.ts';
import { createReactions } from './reactions.ts';
import { Requests } from './requests.ts';
import type { Stores } from './stores.ts';
import { CLOCK, EVENT_STORE, PAYMENTS, READ_MODELS, VAULT } from './tokens.ts';

const STORES = Symbol('Stores');

export interface LeadgerOptions {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the sandbox. */
  readonly payments?: PaymentGateway;
}

/**
 * A whole lead store as Nest providers, on stores that are open already. Projections and processes run once their
 * owner starts them (`startLeadger`); when the application is closed they are stopped, and the stores are closed last.
 */
@Module({})
export class LeadgerModule implements OnApplicationShutdown {
  readonly #stores: Stores;
  readonly #engine: ProcessEngine;

  constructor(@Inject(STORES) stores: Stores, @Inject(ProcessEngine) engine: ProcessEngine) {
    this.#stores = stores;
    this.#engine = engine;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#engine.stop();
    await this.#stores.close();
  }

  static on(
    stores: Stores,
    { clock = systemClock(), payments = sandboxPayments() }: LeadgerOptions = {},
  ): DynamicModule {
    const send = (bus: CommandBus) => (order: LedgerCommand['order']) => bus.execute(new LedgerCommand(order));
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
        { provide: PAYMENTS, useValue: payments },
        { provide: Ledger, inject: [EVENT_STORE], useFactory: (store: EventStore) => new Ledger(store) },
        {
          provide: Requests,
          inject: [Ledger, VAULT, CommandBus],
          useFactory: (ledger: Ledger, vault: Vault, bus: CommandBus) =>
            new Requests({ ledger, vault, clock, send: send(bus) }),
        },
        {
          provide: ProcessEngine,
          inject: [EVENT_STORE, Ledger, CommandBus],
          useFactory: (store: EventStore, ledger: Ledger, bus: CommandBus) =>
            createReactions({ store, ledger, clock, payments, send: send(bus) }),
        },
        LedgerCommandHandler,
      ],
      exports: [EVENT_STORE, VAULT, READ_MODELS, CLOCK, Ledger, Requests, ProcessEngine, CqrsModule],
    };
  }
}
