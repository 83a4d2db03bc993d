import { domainToASCII } from 'node:url';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { isHostName } from '#domain/kernel/web-address';

/** A program was called with wrong options. The message is printed in one line. */
export class UsageError extends LeadgerError {
  constructor(message: string) {
    super('usage', message);
  }
}

type Shape = readonly [fits: (written: string) => boolean, isLike: string];

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const anything: Shape = [() => true, ''];
const matching = (shape: RegExp, isLike: string): Shape => [(written) => shape.test(written), isLike];

const collector: Shape = [isHttpAddress, 'http://host:port or https://host:port'];

/** What the environment may say to a program. Who parses a value later checks the rest of it. */
const shapes: Readonly<Record<string, Shape>> = {
  LEADGER_DATA: anything,
  LEADGER_EVENTS: anything,
  DATABASE_URL: anything,
  LEADGER_MASTER_KEY: anything,
  LEADGER_MASTER_KEY_NEXT: anything,
  HOST: matching(/^[\w.:-]+$/, 'a name or an address of this machine'),
  PORT: anything,
  LEADGER_COMMAND_SECONDS: anything,
  LEADGER_FAILING_SECONDS: anything,
  LEADGER_LEASE_SECONDS: anything,
  LEADGER_MOST_FEEDS: anything,
  OTEL_EXPORTER_OTLP_ENDPOINT: collector,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector,
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: collector,
  OTEL_METRIC_EXPORT_INTERVAL: matching(/^[1-9]\d{1,8}$/, 'a number of milliseconds, 10 or more'),
  OTEL_TRACES_SAMPLER_ARG: matching(/^(0(\.\d+)?|1(\.0+)?)$/, 'a part of all traces, 0 to 1'),
  LEADGER_LOG_LEVEL: [(written) => LEVELS.includes(written), LEVELS.join(', ')],
  SMTP_URL: [isMailServer, 'smtp://host:port or smtps://user:password@host, with % codes for special characters'],
  MAIL_FROM: [isSender, 'an address, name@host'],
  STRIPE_SECRET_KEY: matching(/^(sk|rk)_[!-~]+$/, 'a key of the server (sk_… or rk_…), without spaces'),
  STRIPE_WEBHOOK_SECRET: matching(/^whsec_[!-~]+$/, 'the secret of an endpoint (whsec_…), without spaces'),
  STRIPE_STATEMENT_PREFIX: matching(
    /^(?! )(?=.*[A-Za-z])[ !#-&(-)+-;=?-[\]-~]{2,10}(?<! )$/,
    `the prefix of an account: 2 to 10 characters, with a letter, and none of < > \\ ' " *`,
  ),
};

function isHttpAddress(written: string): boolean {
  return URL.canParse(written) && /^https?:$/.test(new URL(written).protocol);
}

function isMailServer(written: string): boolean {
  if (!URL.canParse(written)) return false;
  const { protocol, hostname } = new URL(written);
  return (
    (protocol === 'smtp:' || protocol === 'smtps:') && (hostname.startsWith('[') || isHostName(withoutRoot(hostname)))
  );
}

/** A final dot only says that the name is a whole one. */
const withoutRoot = (host: string): string => host.replace(/\.$/, '');

function isSender(written: string): boolean {
  const [, host = ''] = /^[^\s@<>\p{C}]+@([^\s@<>]+)$/u.exec(written) ?? [];
  return isHostName(domainToASCII(host)) || /^\[[\w.:]+\]$/.test(host);
}

/** For secrets, and addresses that have passwords: what was written is not repeated. */
const SECRET = /KEY|SECRET|URL|EVENTS|ENDPOINT/;

/**
 * Checks all settings before anything is opened, because no waiting mends them. An empty one is refused: who writes `HOST=` or
 * `LEADGER_EVENTS=` has lost a value, and its default would be another address or another log.
 * @throws UsageError
 */
export function checkEnvironment(env: NodeJS.ProcessEnv = process.env): void {
  for (const [name, [fits, isLike]] of Object.entries(shapes)) {
    const written = env[name];
    if (written === undefined) continue;
    mustNotBeEmpty(name, written);
    if (fits(written)) continue;
    throw new UsageError(SECRET.test(name) ? `${name} is not ${isLike}` : `${name}: ${written} is not ${isLike}`);
  }
}

/** @throws UsageError */
export function mustNotBeEmpty(name: string, written: string | undefined): void {
  if (written?.trim() === '') throw new UsageError(`${name} is empty: give it a value, or leave it out`);
}

const ENDPOINTS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
];

/** Traces and metrics are sent only where an exporter is configured. */
export const sendsTelemetry = (env: NodeJS.ProcessEnv = process.env): boolean =>
  env.OTEL_SDK_DISABLED !== 'true' && ENDPOINTS.some((name) => (env[name] ?? '') !== '');
