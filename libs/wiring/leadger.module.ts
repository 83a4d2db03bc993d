import { setTimeout as wait } from 'node:timers/promises';
import {
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';
import type { Activities } from '#domain/kernel/activities';
import { partOf } from '#event-store/data-directory';
import { watchLog } from '#event-store/log-watch';
import { CannotOpenStore, type EventStore } from '#event-store/port';
import { type Clock, systemClock } from '#gateways/clock';
import { mailboxOf, mailsOf, noticesOf, paymentsOf, supportMailOf, webhooksOf } from '#gateways/from-environment';
import type { MailGateway } from '#gateways/mail';
import type { Mailbox } from '#gateways/mailbox';
import type { PaymentNotices } from '#gateways/payment-notices';
import type { PaymentGateway } from '#gateways/payments';
import type { SupportMail } from '#gateways/support-mail';
import type { WebhookGateway } from '#gateways/webhooks';
import type { Leases } from '#postgres/leases';
import { ProcessEngine } from '#processes/engine/engine';
import { warnIfClockWasSetBack } from '#requests/clock-status';
import { CommandHandler } from '#requests/command-handler';
import { prepareKeys } from '#requests/keys-at-start';
import { type RunningProcesses, runningElsewhere, runningHere, runningNowhere } from '#requests/running-processes';
import { StreamCache } from '#requests/stream-cache';
import type { Vault } from '#vault/vault';
import { asking, dispatchOver } from './asking.ts';
import { busHandlers } from './buses.ts';
import { createReactions, type ReactionDependencies } from './reactions.ts';
import type { Stores } from './stores.ts';
import {
  ACTIVITIES,
  CLOCK,
  EVENT_STORE,
  FAILING_LIMIT,
  MAILBOX,
  MAILS,
  NOTICES,
  PROVIDER_LIMITS,
  READ_MODELS,
  RUNNING_PROCESSES,
  SESSIONS,
  SUPPORT_MAIL,
  VAULT,
  WEBHOOKS,
  WORK,
} from './tokens.ts';
import { Worker } from './worker.ts';

const STORES = Symbol('Stores');
const MILLISECONDS_TO_STOP = 5000;

/** Processes and projections, as far as they run in this program. */
export interface Work {
  /** Rejects when the log cannot be read any more; resolves when it is stopped. */
  run(): Promise<void>;
  stop(): Promise<void>;
}

interface LeadgerOptions {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: Stripe where `STRIPE_SECRET_KEY` is set, else the sandbox. */
  readonly payments?: PaymentGateway;
  /** Default: those of Stripe where `STRIPE_WEBHOOK_SECRET` is set, else none. */
  readonly notices?: PaymentNotices;
  /** Default: a mail server where `SMTP_URL` is set, else files beside the events. */
  readonly mails?: MailGateway;
  /** Default: where `SUPPORT_WEBHOOK_SECRET` or `SUPPORT_IMAP_URL` is set. */
  readonly supportMail?: SupportMail;
  /** Default: where `SUPPORT_IMAP_URL` is set, in programs that work and call what is outside. */
  readonly mailbox?: Mailbox;
  /** Default: over HTTP, to the public Internet only; to this machine, too, where `LEADGER_WEBHOOKS_TO_THIS_MACHINE` says yes. */
  readonly webhooks?: WebhookGateway;
  /** Whether processes and projections run here; default: true. Else this program serves commands and reads only. */
  readonly works?: boolean;
  /** Whether charges, mails and webhooks are made here; default: true. Else they wait for a program that makes them. */
  readonly callsOutside?: boolean;
  /** Of several workers: how they share the work. Default: one worker does everything. */
  readonly leases?: Leases;
  /** How long something may fail before the health is degraded. */
  readonly failingMilliseconds?: number;
}

/**
 * A whole lead store as Nest providers, on stores that are open already. Projections and processes run after
 * `startLeadger`. When the application closes, they are stopped first and the stores are closed last.
 */
@Module({})
export class LeadgerModule implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #stores: Stores;
  readonly #work: Work;
  readonly #commands: CommandHandler;
  readonly #clock: Clock;
  readonly #mailbox: Mailbox | undefined;
  readonly #mails: MailGateway | undefined;
  readonly #stopping = new AbortController();

  constructor(
    @Inject(STORES) stores: Stores,
    @Inject(WORK) work: Work,
    @Inject(CommandHandler) commands: CommandHandler,
    @Inject(CLOCK) clock: Clock,
    @Inject(MAILBOX) mailbox: Mailbox | undefined,
    @Inject(MAILS) mails: MailGateway | undefined,
  ) {
    this.#stores = stores;
    this.#work = work;
    this.#commands = commands;
    this.#clock = clock;
    this.#mailbox = mailbox;
    this.#mails = mails;
  }

  /** Before anything else is written, and in every program that can write. */
  async onApplicationBootstrap(): Promise<void> {
    const { vault, events } = this.#stores;
    const commands = this.#commands;
    await watchLog(events, () => commands.forget(), this.#stopping.signal);
    const warn = (line: string) => console.warn(`leadger: ${line}`);
    await warnIfClockWasSetBack(events, warn);
    await prepareKeys({ events, vault, commands, clock: this.#clock }, warn);
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    // Commands of processes wait for a store that is away as long as it takes. The end of the program does not.
    await Promise.race([
      Promise.all([this.#mailbox?.stop(), this.#work.stop()]),
      wait(MILLISECONDS_TO_STOP, undefined, { ref: false }),
    ]);
    this.#mails?.close();
    await this.#stores.close();
  }

  static on(stores: Stores, options: LeadgerOptions = {}): DynamicModule {
    const { clock = systemClock(), works = true, callsOutside = true, leases } = options;
    const mails = options.mails ?? mailsIn(stores, works);
    const payments = options.payments ?? paymentsOf(process.env, clock);
    const webhooks = options.webhooks ?? webhooksOf(process.env);
    const support = options.supportMail ?? supportMailOf(process.env);
    const mailbox = options.mailbox ?? (works && callsOutside ? mailboxOf(process.env, clock) : undefined);
    const outside = { clock, payments, webhooks, callsOutside, supportMail: support, mailbox };
    const work = works && mails ? worksHere({ ...outside, mails }, leases) : worksElsewhere(leases);
    const values = [
      { provide: STORES, useValue: stores },
      { provide: EVENT_STORE, useValue: stores.events },
      { provide: VAULT, useValue: stores.vault },
      { provide: SESSIONS, useValue: stores.sessions },
      { provide: READ_MODELS, useValue: stores.readModels },
      { provide: ACTIVITIES, useValue: stores.activities },
      { provide: FAILING_LIMIT, useValue: options.failingMilliseconds },
      { provide: CLOCK, useValue: clock },
      { provide: MAILS, useValue: mails },
      { provide: SUPPORT_MAIL, useValue: support },
      { provide: MAILBOX, useValue: mailbox },
      { provide: NOTICES, useValue: options.notices ?? noticesOf(process.env) },
      { provide: WEBHOOKS, useValue: webhooks },
      { provide: PROVIDER_LIMITS, useValue: payments.limits },
    ];
    const providers = [...values, ...asking, ...work];
    return {
      module: LeadgerModule,
      global: true,
      imports: [CqrsModule.forRoot()],
      providers: [...providers, ...busHandlers],
      exports: [...providers.map(({ provide }) => provide), CqrsModule],
    };
  }
}

/** Undefined where this program sends no mails. @throws CannotOpenStore when it does, and no gateway is configured */
function mailsIn({ directory }: Stores, works: boolean): MailGateway | undefined {
  const mails = mailsOf(process.env, directory && partOf(directory.path, 'mails'));
  if (!mails && works) mustHaveMailServer();
  return mails;
}

/** Without a directory there are no files for mails. @throws CannotOpenStore */
export function mustHaveMailServer(): void {
  if (process.env.SMTP_URL) return;
  throw new CannotOpenStore(
    'unsafe-settings',
    'where do mails go? Set SMTP_URL, e.g. smtps://user:password@mail.example.com',
  );
}

type Outside = Pick<
  ReactionDependencies,
  'clock' | 'payments' | 'mails' | 'webhooks' | 'callsOutside' | 'supportMail' | 'mailbox'
>;
type CreateEngine = (parts?: Pick<ReactionDependencies, 'leaseOf' | 'mayBeginFor'>) => ProcessEngine;

const CREATE_ENGINE = Symbol('CreateEngine');

const worksHere = (outside: Outside, leases: Leases | undefined): FactoryProvider[] => [
  {
    provide: CREATE_ENGINE,
    inject: [EVENT_STORE, VAULT, SESSIONS, READ_MODELS, StreamCache, CommandBus, ACTIVITIES],
    useFactory: (
      store: EventStore,
      vault: Vault,
      sessions: Stores['sessions'],
      readModels: Stores['readModels'],
      streams: StreamCache,
      bus: CommandBus,
      activities: Activities,
    ): CreateEngine => {
      const ofAllEngines = { ...outside, store, vault, sessions, readModels, streams, activities, underWay: new Map() };
      return (parts = {}) => createReactions({ ...ofAllEngines, dispatch: dispatchOver(bus), ...parts });
    },
  },
  ...(leases ? sharedWork(leases) : wholeWork),
];

/** One worker, which does everything. */
const wholeWork: readonly FactoryProvider[] = [
  { provide: ProcessEngine, inject: [CREATE_ENGINE], useFactory: (create: CreateEngine) => create() },
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
  { provide: RUNNING_PROCESSES, inject: [ProcessEngine], useFactory: runningHere },
];

const sharedWork = (leases: Leases): readonly FactoryProvider[] => [
  {
    provide: WORK,
    inject: [CREATE_ENGINE, StreamCache, READ_MODELS],
    useFactory: (createEngine: CreateEngine, streams: StreamCache, readModels: Stores['readModels']) =>
      new Worker({ leases, streams, readModels, createEngine }),
  },
  { provide: RUNNING_PROCESSES, inject: [WORK], useFactory: (worker: Worker) => worker.running() },
];

const worksElsewhere = (leases: Leases | undefined): FactoryProvider[] => [
  { provide: WORK, useFactory: (): Work => ({ run: async () => {}, stop: async () => {} }) },
  {
    provide: RUNNING_PROCESSES,
    useFactory: (): RunningProcesses => (leases ? runningElsewhere(leases) : runningNowhere),
  },
];
