import { areNetworks, listIn, THIS_MACHINE } from './networks.ts';
import {
  areHeaders,
  HIGHEST_PORT,
  isMailbox,
  isMailServer,
  isOrigin,
  isPort,
  isSender,
  isSupportAddress,
  isWebAddress,
} from './setting-shapes.ts';

/**
 * Everything that the environment may say to a program. What checks a setting, what a program takes where it is not set, what
 * `leadger check-config` says and docs/configuration.md are made from this table: a new setting is one entry.
 */

export const programNames = ['standalone', 'api', 'worker', 'cli'] as const;
export type ProgramName = (typeof programNames)[number];

export interface Setting {
  readonly area: 'where the store is' | 'requests' | 'mails' | 'payments' | 'webhooks' | 'logs' | 'monitoring';
  /** One or two sentences for who runs a store. */
  readonly about: string;
  /** Those that read it. */
  readonly programs: readonly ProgramName[];
  /** Those of them that do not start without it. */
  readonly neededBy?: readonly ProgramName[];
  readonly fits: (written: string) => boolean;
  /** What a value is, as the end of `NAME is not …`. */
  readonly isLike: string;
  /** The value that counts where none is set. */
  readonly usual?: string;
  /** What is done where none is set, and there is no usual value. */
  readonly otherwise?: string;
  /** The same as an option of the programs. */
  readonly option?: string;
  /** `secret`: it is never shown. `address`: it may have a password, which is never shown. */
  readonly holds?: 'secret' | 'address';
}

/** Of OpenTelemetry. A trace is kept whole or not at all, so those that ask the parent keep the same. */
const samplers = ['always_on', 'always_off', 'traceidratio'] as const;

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

const servers: readonly ProgramName[] = ['standalone', 'api', 'worker'];
const many: readonly ProgramName[] = ['api', 'worker'];

type Shape = Pick<Setting, 'fits' | 'isLike'>;

const matching = (shape: RegExp, isLike: string): Shape => ({ fits: (written) => shape.test(written), isLike });
const oneOf = (...values: readonly string[]): Shape => ({
  fits: (written) => values.includes(written),
  isLike: values.join(', '),
});
const anything = (isLike: string): Shape => ({ fits: () => true, isLike });
const collector: Shape = { fits: isWebAddress, isLike: 'http://host:port or https://host:port' };
const headers: Shape = { fits: areHeaders, isLike: 'name=value,name=value, with % codes for special characters' };
const seconds: Shape = { fits: (written) => Number(written) >= 1 && Number(written) <= 3600, isLike: '1 to 3600' };

export const settings = {
  LEADGER_DATA: {
    area: 'where the store is',
    about: 'The directory of the store. It is created if it is missing, and only the user of the program may open it.',
    programs: ['standalone', 'cli'],
    ...anything('a directory'),
    usual: './data',
    option: '--data',
  },
  LEADGER_EVENTS: {
    area: 'where the store is',
    about: 'An EventStoreDB or KurrentDB that holds the events ([connection string](stores.md#the-connection-string)).',
    programs: [...servers, 'cli'],
    neededBy: many,
    ...anything('esdb://user:password@host:2113'),
    otherwise: 'the events are in the directory',
    option: '--events',
    holds: 'address',
  },
  DATABASE_URL: {
    area: 'where the store is',
    about: 'A PostgreSQL that holds the read models, and the keys of personal data if the events are on a server, too.',
    programs: [...servers, 'cli'],
    neededBy: many,
    ...anything('postgres://user:password@host/database'),
    otherwise: 'rows and keys are in the directory',
    option: '--database',
    holds: 'address',
  },
  LEADGER_MASTER_KEY: {
    area: 'where the store is',
    about:
      'The key that wraps the keys of personal data, the same in all programs. Without it no personal data can be read again.',
    programs: [...servers, 'cli'],
    neededBy: many,
    ...anything('64 hexadecimal digits (openssl rand -hex 32), or 32 bytes in base64'),
    otherwise: 'it is the file keys/master.key of the directory, which a new store makes',
    holds: 'secret',
  },
  LEADGER_MASTER_KEY_NEXT: {
    area: 'where the store is',
    about: 'The key that takes its place, only while it is replaced ([how](how-to/replace-the-master-key.md)).',
    programs: [...servers, 'cli'],
    ...anything('64 hexadecimal digits, or 32 bytes in base64'),
    otherwise: 'the master key stays',
    holds: 'secret',
  },
  HOST: {
    area: 'requests',
    about:
      'Where a program listens. Where others reach it, a weak or sample secret ends its start. Programs do not encrypt: others come through a proxy with TLS, whose address is PUBLIC_URL.',
    programs: servers,
    ...matching(/^[\w.:-]+$/, 'a name or an address of this machine'),
    usual: '127.0.0.1',
    option: '--host',
  },
  PORT: {
    area: 'requests',
    about: 'The port on which a program listens; 0 takes a free one.',
    programs: servers,
    fits: isPort,
    isLike: `a port, 0 to ${HIGHEST_PORT}`,
    usual: '3000',
    option: '--port',
  },
  PUBLIC_URL: {
    area: 'requests',
    about:
      'Where people reach the store. Requests that are addressed to its host are accepted; with https, browsers stay with it.',
    programs: ['standalone', 'api'],
    fits: isOrigin,
    isLike: 'https://host or http://host, with a port if it has one, and no path',
    otherwise: 'only requests to this machine are accepted',
  },
  ALLOWED_ORIGINS: {
    area: 'requests',
    about: 'Other sites whose pages may send requests and read the answers, with commas between them.',
    programs: ['standalone', 'api'],
    fits: (written) => listIn(written).every(isOrigin),
    isLike: 'https://host,https://host',
    otherwise: 'only the pages of this server may',
  },
  TRUSTED_PROXIES: {
    area: 'requests',
    about:
      'Proxies whose `X-Forwarded-For` says from where a request comes, with commas between them. That of others is ignored.',
    programs: servers,
    fits: areNetworks,
    isLike: 'addresses and networks: 10.0.0.7,10.1.0.0/16,::1',
    otherwise: 'a request comes from whoever opened its connection',
  },
  MONITORING_NETWORKS: {
    area: 'requests',
    about: 'Who may read `/health` and `/metrics`: addresses and networks, with commas between them.',
    programs: servers,
    fits: areNetworks,
    isLike: 'addresses and networks: 10.0.0.7,10.1.0.0/16,::1',
    usual: THIS_MACHINE.join(','),
  },
  LEADGER_COMMAND_SECONDS: {
    area: 'requests',
    about: 'How long a command waits for an event store that is away, from the arrival of its request.',
    programs: ['standalone', 'api'],
    ...seconds,
    usual: '10',
  },
  LEADGER_MOST_FEEDS: {
    area: 'requests',
    about: 'The most change feeds (`/api/feed`) that a program serves at a time. Each is one connection.',
    programs: ['standalone', 'api'],
    ...matching(/^\d{1,6}$/, '0 to 999999'),
    usual: '2000',
  },
  LEADGER_FEEDS_OF_CALLER: {
    area: 'requests',
    about: 'The most of them that one caller from outside may have open.',
    programs: ['standalone', 'api'],
    ...matching(/^\d{1,6}$/, '0 to 999999'),
    usual: '20',
  },
  LEADGER_LEASE_SECONDS: {
    area: 'requests',
    about: 'After this time without a renewal, other workers take over the share of a worker.',
    programs: many,
    ...seconds,
    usual: '15',
  },
  SMTP_URL: {
    area: 'mails',
    about: 'The mail server.',
    programs: servers,
    neededBy: ['worker'],
    fits: isMailServer,
    isLike: 'smtp://host:port or smtps://user:password@host, with % codes for special characters',
    otherwise: 'mails are files in the directory, which nobody gets',
    holds: 'address',
  },
  MAIL_FROM: {
    area: 'mails',
    about: 'The sender of all mails, for a mail server that sends for one address only.',
    programs: servers,
    fits: isSender,
    isLike: 'an address, name@host',
    otherwise: 'each store has its own sender',
  },
  SUPPORT_ADDRESS: {
    area: 'mails',
    about:
      'Where customers write to support: the part before the @, at the host of each store, or one address for all stores.',
    programs: servers,
    fits: isSupportAddress,
    isLike: 'a name, like support, or an address, name@host',
    usual: 'support',
  },
  SUPPORT_WEBHOOK_SECRET: {
    area: 'mails',
    about:
      'The secret with which a mail provider brings mails to `/api/support-mails` ([support is by mail](adr/0056-support-is-by-mail.md)).',
    programs: servers,
    ...matching(/^[!-~]{16,200}$/, 'a secret of 16 to 200 visible ASCII characters'),
    otherwise: 'that route takes no mails',
    holds: 'secret',
  },
  SUPPORT_IMAP_URL: {
    area: 'mails',
    about: 'The mailbox to which customers write. It is read by the programs that work.',
    programs: servers,
    fits: isMailbox,
    isLike: 'imaps://user:password@host, with % codes for special characters',
    otherwise: 'no mailbox is read',
    holds: 'address',
  },
  STRIPE_SECRET_KEY: {
    area: 'payments',
    about:
      'Cards are charged by Stripe with this key. A restricted key is enough ([rights](adr/0037-stripe-as-it-is.md)).',
    programs: servers,
    ...matching(/^(sk|rk)_[!-~]+$/, 'a key of the server (sk_… or rk_…), without spaces'),
    otherwise: 'the [sandbox](sandbox.md) answers, and no money moves',
    holds: 'secret',
  },
  STRIPE_WEBHOOK_SECRET: {
    area: 'payments',
    about:
      'The secret of the endpoint `/api/payment-notices` at Stripe, for disputes and refunds that a bank sends back.',
    programs: ['standalone', 'api'],
    ...matching(/^whsec_[!-~]+$/, 'the secret of an endpoint (whsec_…), without spaces'),
    otherwise: 'no notices are taken',
    holds: 'secret',
  },
  STRIPE_STATEMENT_PREFIX: {
    area: 'payments',
    about: 'The prefix of card statements as it is set in the account at Stripe.',
    programs: servers,
    ...matching(
      /^(?! )(?=.*[A-Za-z])[ !#-&(-)+-;=?-[\]-~]{2,10}(?<! )$/,
      `the prefix of an account: 2 to 10 characters, with a letter, and none of < > \\ ' " *`,
    ),
    otherwise: 'ten characters are reserved for it',
  },
  LEADGER_WEBHOOKS_TO_THIS_MACHINE: {
    area: 'webhooks',
    about:
      'Whether webhooks may call the loopback addresses of this machine, and customers may choose them ([receive leads](how-to/receive-leads.md)). For development only: customers choose the addresses.',
    programs: servers,
    ...oneOf('yes', 'no'),
    usual: 'no',
  },
  LEADGER_LOG_LEVEL: {
    area: 'logs',
    about: 'What the log of requests holds: lines of this level and of those above it.',
    programs: servers,
    ...oneOf(...LEVELS),
    usual: 'warn',
  },
  LEADGER_FAILING_SECONDS: {
    area: 'monitoring',
    about:
      'How long no call of a kind may be answered before the health is degraded ([monitoring](monitoring.md)). A mail is tried again after 300.',
    programs: servers,
    ...seconds,
    usual: '600',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    area: 'monitoring',
    about: 'Where traces and metrics are sent (OTLP over HTTP).',
    programs: servers,
    ...collector,
    otherwise: 'none are sent',
    holds: 'address',
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: {
    area: 'monitoring',
    about: 'The same for traces only.',
    programs: servers,
    ...collector,
    otherwise: 'as above',
    holds: 'address',
  },
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: {
    area: 'monitoring',
    about: 'The same for metrics only.',
    programs: servers,
    ...collector,
    otherwise: 'as above',
    holds: 'address',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    area: 'monitoring',
    about: 'Headers of these calls, for collectors that ask for a key.',
    programs: servers,
    ...headers,
    otherwise: 'none are added',
    holds: 'secret',
  },
  OTEL_SERVICE_NAME: {
    area: 'monitoring',
    about: 'The name of the program in traces and metrics.',
    programs: servers,
    ...matching(/^[^\p{C}]{1,200}$/u, 'a name of up to 200 characters that can be seen'),
    otherwise: 'leadger- with the name of the program',
  },
  OTEL_METRIC_EXPORT_INTERVAL: {
    area: 'monitoring',
    about: 'How often metrics are sent, in milliseconds.',
    programs: servers,
    ...matching(/^[1-9]\d{1,8}$/, 'a number of milliseconds, 10 or more'),
    usual: '60000',
  },
  OTEL_TRACES_SAMPLER: {
    area: 'monitoring',
    about: 'Which traces are sent: all, none, or a part of them. All programs need the same.',
    programs: servers,
    ...oneOf(...samplers, ...samplers.map((name) => `parentbased_${name}`)),
    otherwise: 'all are sent',
  },
  OTEL_TRACES_SAMPLER_ARG: {
    area: 'monitoring',
    about: 'Which part of all traces is sent by `traceidratio`.',
    programs: servers,
    ...matching(/^(0(\.\d+)?|1(\.0+)?)$/, 'a part of all traces, 0 to 1'),
    usual: '1',
  },
  OTEL_SDK_DISABLED: {
    area: 'monitoring',
    about: 'Nothing is sent where it is `true`.',
    programs: servers,
    ...oneOf('true', 'false'),
    usual: 'false',
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof settings;

export const settingNames = Object.keys(settings) as readonly SettingName[];

export const settingOf = (name: SettingName): Setting => settings[name];
