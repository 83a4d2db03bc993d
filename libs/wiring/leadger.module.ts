import { join } from 'node:path';
import { type DynamicModule, Inject, Module, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';

import { CannotOpenStore, type EventStore } from '#event-store/port';
import { type Clock, systemClock } from '#gateways/clock';
import { type MailGateway, mailFiles, smtpMail } from '#gateways/mail';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { stripePayments } from '#gateways/stripe-payments';
import { httpWebhooks, type WebhookGateway } from '#gateways/webhooks';
import { ProcessEngine } from '#processes/engine/engine';
import type { Vault } from '#vault/vault';
import type { Leases } from './leases.ts';
import { Ledger } from './ledger.ts';
import { LedgerCommand, LedgerCommandHandler } from './ledger-command.ts';
import { operationsElsewhere, operationsOf } from './operations.ts';
import { createReactions } from './reactions.ts';
import { Requests } from './requests.ts';
import type { Stores } from './stores.ts';
import { CLOCK, EVENT_STORE, MAILS, OPERATIONS, READ_MODELS, VAULT, WORK } from './tokens.ts';
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
  /** Default: a mail server where `SMTP_URL` is set, else files beside the events. */
  readonly mails?: MailGateway;
  /** Default: over HTTP, to the public Internet only. */
  readonly webhooks?: WebhookGateway;
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
    {
      clock = systemClock(),
      payments = paymentsOf(process.env),
      works = true,
      mails = mailsOf(stores, works),
      webhooks = httpWebhooks(),
      leases,
    }: LeadgerOptions = {},
  ): DynamicModule {
    const send = (bus: CommandBus) => (order: LedgerCommand['order']) => bus.execute(new LedgerCommand(order));
    const work = works && mails ? whoWorks({ clock, payments, mails, webhooks, leases, send }) : idle(leases);
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
        { provide: MAILS, useValue: mails },
        { provide: Ledger, inject: [EVENT_STORE], useFactory: (store: EventStore) => new Ledger(store) },
        {
          provide: Requests,
          inject: [Ledger, VAULT, CommandBus],
          useFactory: (ledger: Ledger, vault: Vault, bus: CommandBus) =>
            new Requests({ ledger, vault, clock, send: send(bus) }),
        },
        LedgerCommandHandler,
        ...work,
      ],
      exports: [EVENT_STORE, VAULT, READ_MODELS, CLOCK, MAILS, Ledger, Requests, CqrsModule, ...work.map(tokenOf)],
    };
  }
}

const paymentsOf = ({ STRIPE_SECRET_KEY: secretKey }: NodeJS.ProcessEnv): PaymentGateway =>
  secretKey ? stripePayments({ secretKey }) : sandboxPayments();

/** Undefined where nobody sends any. @throws CannotOpenStore when there is no place for mails */
function mailsOf({ directory }: Stores, works: boolean): MailGateway | undefined {
  const { SMTP_URL: url, MAIL_FROM: from } = process.env;
  if (url) return smtpMail({ url, from });
  if (directory) return mailFiles(join(directory.path, 'mails'));
  if (!works) return undefined;
  throw new CannotOpenStore(
    'unsafe-settings',
    'where do mails go? Set SMTP_URL, e.g. smtps://user:password@mail.example.com',
  );
}

type FactoryProvider = Extract<Provider, { useFactory: unknown }>;
const tokenOf = ({ provide }: FactoryProvider) => provide;

interface WorkNeeds {
  readonly clock: Clock;
  readonly payments: PaymentGateway;
  readonly mails: MailGateway;
  readonly webhooks: WebhookGateway;
  readonly leases: Leases | undefined;
  readonly send: (bus: CommandBus) => Parameters<typeof createReactions>[0]['send'];
}

function whoWorks({ clock, payments, mails, webhooks, leases, send }: WorkNeeds): FactoryProvider[] {
  if (!leases)
    return [
      {
        provide: ProcessEngine,
        inject: [EVENT_STORE, VAULT, Ledger, CommandBus],
        useFactory: (store: EventStore, vault: Vault, ledger: Ledger, bus: CommandBus) =>
          createReactions({ store, vault, ledger, clock, payments, mails, webhooks, send: send(bus) }),
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
      inject: [EVENT_STORE, VAULT, Ledger, CommandBus, READ_MODELS],
      useFactory: (
        store: EventStore,
        vault: Vault,
        ledger: Ledger,
        bus: CommandBus,
        readModels: Stores['readModels'],
      ) =>
        new Worker({
          leases,
          ledger,
          readModels,
          createEngine: (leaseOf) =>
            createReactions({ store, vault, ledger, clock, payments, mails, webhooks, send: send(bus), leaseOf }),
        }),
    },
    { provide: OPERATIONS, inject: [WORK], useFactory: (worker: Worker) => worker.operations() },
  ];
}

const idle = (leases: Leases | undefined): FactoryProvider[] => [
  { provide: WORK, useFactory: (): Work => ({ run: async () => {}, stop: async () => {} }) },
  ...(leases ? [{ provide: OPERATIONS, useFactory: () => operationsElsewhere(leases) }] : []),
];
