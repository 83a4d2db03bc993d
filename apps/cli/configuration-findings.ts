import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ProgramName, type SettingName, settingNames, settingOf } from '#apps/configuration';
import { settingIn, wrongIn } from '#apps/settings';
import { WEAK, weakSecretsIn } from '#apps/weak-secrets';
import { withoutPasswords } from '#domain/kernel/connection-string';
import { partOf } from '#event-store/data-directory';
import { serverOf } from '#postgres/reach';
import { fromEnvironment } from '#vault/master-key';
import { checkAddress } from '#wiring/reach-servers';

/** What somebody should do something about. A program does not start with what is wrong or missing. */
export interface Finding {
  readonly kind: 'wrong' | 'missing' | 'unsafe' | 'note';
  /** The variable of the environment. */
  readonly name: string;
  readonly says: string;
}

export interface Configuration {
  readonly program: ProgramName;
  readonly env: NodeJS.ProcessEnv;
}

/** All that can be said of a configuration without asking a server. */
export async function findingsOf(configuration: Configuration): Promise<readonly Finding[]> {
  const { env } = configuration;
  const wrong = [...wrongSettings(env), ...(await wrongInside(env))];
  const isWrong = new Set(wrong.map(({ name }) => name));
  const others = rules.flatMap((rule) => rule(configuration)).filter(({ name }) => !isWrong.has(name));
  return [...wrong, ...others].sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
}

export const kinds: readonly Finding['kind'][] = ['wrong', 'missing', 'unsafe', 'note'];

const wrongSettings = (env: NodeJS.ProcessEnv): Finding[] =>
  settingNames.flatMap((name) => {
    const says = wrongIn(name, env[name]);
    return says === undefined ? [] : [{ kind: 'wrong', name, says: says.replace(/^\w+:? /, '') }];
  });

/** What only who uses a value can say: the same code is asked that opens the store. */
async function wrongInside(env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const checks = {
    LEADGER_EVENTS: (eventStoreDb) => checkAddress({ eventStoreDb }),
    DATABASE_URL: async (written) => void serverOf(written),
    LEADGER_MASTER_KEY: async () => void fromEnvironment({ LEADGER_MASTER_KEY: env.LEADGER_MASTER_KEY }),
    LEADGER_MASTER_KEY_NEXT: async () => void fromEnvironment(env),
  } satisfies Partial<Record<SettingName, (written: string) => Promise<void>>>;
  const found = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const written = env[name];
      if (written === undefined || written.trim() === '') return [];
      return check(written).then(
        () => [],
        (error: Error): Finding[] => [
          { kind: 'wrong', name, says: withoutPasswords(error.message).replace(`${name} `, '') },
        ],
      );
    }),
  );
  return found.flat();
}

type Rule = (configuration: Configuration) => readonly Finding[];

/** A rule that finds at most one thing. */
const rule =
  (
    kind: Finding['kind'],
    name: SettingName,
    says: (configuration: Configuration) => string | false | undefined,
  ): Rule =>
  (configuration) => {
    const found = says(configuration);
    return found ? [{ kind, name, says: found }] : [];
  };

const reads = ({ program }: Configuration, name: SettingName): boolean => settingOf(name).programs.includes(program);

const LOOPBACK = /^(127(\.\d+){3}|localhost|::1|\[::1\])$/;

/** The hosts of an address, without their ports. */
const hostsIn = (address: string): readonly string[] =>
  (/^[^:]+:\/\/(?:[^/?]*@)?([^/?]*)/.exec(address)?.[1] ?? '')
    .split(',')
    .map((host) => host.replace(/:\d+$/, ''))
    .filter((host) => host !== '');

const leavesThisMachine = (address: string): boolean => hostsIn(address).some((host) => !LOOPBACK.test(host));

const needed: Rule = ({ program, env }) =>
  settingNames.flatMap((name) => {
    const { neededBy = [], about } = settingOf(name);
    return neededBy.includes(program) && env[name] === undefined ? [{ kind: 'missing', name, says: about }] : [];
  });

/** A name that looks like one of ours has a typing error, or was right in another version. */
const unknown: Rule = ({ env }) =>
  Object.keys(env)
    .filter((name) => OURS.test(name) && !OF_TESTS.test(name) && !settingNames.some((known) => known === name))
    .map((name) => ({ kind: 'unsafe', name, says: 'there is no such setting: it has no effect' }));
const OURS = /^(LEADGER|STRIPE|SMTP|MAIL)_/;
const OF_TESTS = /^LEADGER_(TEST|BENCH)_/;

const notRead: Rule = (configuration) =>
  settingNames
    .filter((name) => configuration.env[name] !== undefined && !reads(configuration, name))
    .map((name) => ({ kind: 'note', name, says: `no effect: ${configuration.program} does not read it` }));

const whole = ({ env }: Configuration): boolean => env.LEADGER_EVENTS === undefined || env.DATABASE_URL === undefined;

/** Others guess them. A program that others may reach does not start with them. */
const weakSecrets: Rule = (configuration) => {
  const { env } = configuration;
  const isReached = reads(configuration, 'HOST') && !LOOPBACK.test(settingIn('HOST', env) ?? '');
  return weakSecretsIn(env)
    .filter((name) => reads(configuration, name))
    .map((name) => ({ kind: isReached ? 'wrong' : 'unsafe', name, says: WEAK }));
};

const rules: readonly Rule[] = [
  needed,
  rule('missing', 'LEADGER_MASTER_KEY', (configuration) => {
    const { program, env } = configuration;
    const isNeeded = !settingOf('LEADGER_MASTER_KEY').neededBy?.includes(program) && !whole(configuration);
    return isNeeded && env.LEADGER_MASTER_KEY === undefined && 'keys in a database need it';
  }),
  rule('wrong', 'LEADGER_DATA', (configuration) => {
    const directory = settingIn('LEADGER_DATA', configuration.env) ?? '';
    return (
      reads(configuration, 'LEADGER_DATA') &&
      isOpenToOthers(directory) &&
      `other users can open ${directory}: chmod -R go-rwx`
    );
  }),
  rule('note', 'LEADGER_MASTER_KEY', (configuration) => {
    const file = masterKeyFile(configuration);
    return file !== undefined && `it is the file ${file}: leave it out of the backups of the keys`;
  }),
  rule('note', 'LEADGER_MASTER_KEY_NEXT', ({ env }) => {
    return (
      env.LEADGER_MASTER_KEY_NEXT !== undefined &&
      'the master key is being replaced: `leadger keys rotate` completes it'
    );
  }),
  rule('unsafe', 'LEADGER_EVENTS', ({ env: { LEADGER_EVENTS: address = '' } }) => {
    if (!leavesThisMachine(address)) return undefined;
    return /[?&]tls=false/i.test(address) && 'without TLS: whoever is in between reads events and password';
  }),
  rule('unsafe', 'LEADGER_EVENTS', ({ env: { LEADGER_EVENTS: address = '' } }) => {
    return (
      /:\/\/admin:/.test(address) &&
      'the account of the administrator may delete streams: make one that may not (docs/deploy.md)'
    );
  }),
  rule('unsafe', 'DATABASE_URL', ({ env: { DATABASE_URL: address = '' } }) => {
    if (!leavesThisMachine(address)) return undefined;
    const mode = /[?&]sslmode=([\w-]*)/.exec(address)?.[1] ?? 'disable';
    return !SAFE_MODES.has(mode) && 'without TLS, or without a look at the certificate: add sslmode=verify-full';
  }),
  rule('unsafe', 'HOST', (configuration) => {
    const host = settingIn('HOST', configuration.env) ?? '';
    return (
      reads(configuration, 'HOST') &&
      !LOOPBACK.test(host) &&
      !configuration.env.PUBLIC_URL?.startsWith('https:') &&
      `others may reach ${host}, and what they send is not encrypted: put a proxy with TLS before it, and set PUBLIC_URL`
    );
  }),
  weakSecrets,
  rule('note', 'TRUSTED_PROXIES', ({ env }) => {
    return (
      env.PUBLIC_URL !== undefined &&
      env.TRUSTED_PROXIES === undefined &&
      'without it all requests of a proxy count as those of one caller'
    );
  }),
  rule('unsafe', 'PUBLIC_URL', ({ env }) => {
    return (
      /^http:/.test(env.PUBLIC_URL ?? '') &&
      leavesThisMachine(env.PUBLIC_URL ?? '') &&
      'without TLS: whoever is in between reads passwords'
    );
  }),
  rule('unsafe', 'SMTP_URL', (configuration) => {
    const { program, env } = configuration;
    return program === 'standalone' && env.SMTP_URL === undefined && 'no mail leaves this machine';
  }),
  rule('unsafe', 'SMTP_URL', ({ env: { SMTP_URL: address = '' } }) => {
    const isSure = /^smtps:/.test(address) || /[?&]requireTLS=true/i.test(address);
    return (
      !isSure &&
      leavesThisMachine(address) &&
      'mails and password go without TLS where the server offers none: write smtps://, or add ?requireTLS=true'
    );
  }),
  rule(
    'note',
    'MAIL_FROM',
    ({ env }) => env.MAIL_FROM !== undefined && env.SMTP_URL === undefined && 'no effect without SMTP_URL',
  ),
  rule('unsafe', 'STRIPE_SECRET_KEY', (configuration) => {
    const { program, env } = configuration;
    return (
      program !== 'cli' &&
      env.STRIPE_SECRET_KEY === undefined &&
      'the sandbox answers: no money moves, and everybody can pay with tok_ok'
    );
  }),
  rule(
    'unsafe',
    'STRIPE_SECRET_KEY',
    ({ env }) => /^[sr]k_test_/.test(env.STRIPE_SECRET_KEY ?? '') && 'a key of the test mode: no money moves',
  ),
  rule(
    'unsafe',
    'STRIPE_SECRET_KEY',
    ({ env }) =>
      /^sk_live_/.test(env.STRIPE_SECRET_KEY ?? '') &&
      'this key may do everything in the account: a restricted one (rk_…) is enough',
  ),
  rule('unsafe', 'STRIPE_WEBHOOK_SECRET', (configuration) => {
    const { STRIPE_SECRET_KEY: key, STRIPE_WEBHOOK_SECRET: secret } = configuration.env;
    return (
      reads(configuration, 'STRIPE_WEBHOOK_SECRET') &&
      key !== undefined &&
      secret === undefined &&
      'disputes, and refunds that a bank sends back, stay unknown without it'
    );
  }),
  rule(
    'note',
    'STRIPE_STATEMENT_PREFIX',
    ({ env }) =>
      env.STRIPE_STATEMENT_PREFIX !== undefined &&
      env.STRIPE_SECRET_KEY === undefined &&
      'no effect without STRIPE_SECRET_KEY',
  ),
  rule('unsafe', 'LEADGER_WEBHOOKS_TO_THIS_MACHINE', (configuration) => {
    const isOn = configuration.env.LEADGER_WEBHOOKS_TO_THIS_MACHINE === 'yes';
    return (
      isOn &&
      reads(configuration, 'LEADGER_WEBHOOKS_TO_THIS_MACHINE') &&
      'customers can have programs of this machine called: for development only'
    );
  }),
  rule('unsafe', 'LEADGER_LOG_LEVEL', ({ env }) => env.LEADGER_LOG_LEVEL === 'silent' && 'no failure is logged'),
  ({ env }) =>
    env.NODE_TLS_REJECT_UNAUTHORIZED === '0'
      ? [
          {
            kind: 'unsafe',
            name: 'NODE_TLS_REJECT_UNAUTHORIZED',
            says: 'no certificate is looked at: everybody can be the server',
          },
        ]
      : [],
  unknown,
  notRead,
];

const SAFE_MODES: ReadonlySet<string> = new Set(['require', 'verify-ca', 'verify-full']);

/** Windows has no modes. One that is not there yet is made for its owner only. */
const isOpenToOthers = (directory: string): boolean =>
  process.platform !== 'win32' &&
  existsSync(join(directory, 'events')) &&
  ((statSync(directory, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0;

function masterKeyFile(configuration: Configuration): string | undefined {
  const { env } = configuration;
  if (!reads(configuration, 'LEADGER_DATA') || !whole(configuration) || env.LEADGER_MASTER_KEY !== undefined)
    return undefined;
  const file = join(partOf(settingIn('LEADGER_DATA', env) ?? '', 'keys'), 'master.key');
  return existsSync(file) ? file : undefined;
}
