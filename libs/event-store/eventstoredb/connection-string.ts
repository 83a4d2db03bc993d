import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { CannotConnect } from './failures.ts';

/** One node of a cluster, or a name behind which there are nodes. */
export interface Host {
  readonly address: string;
  readonly port: number;
}

const preferences = ['leader', 'follower', 'random', 'read_only_replica'] as const;
export type NodePreference = (typeof preferences)[number];

/** What a connection string says. */
export interface ServerAddress {
  readonly hosts: readonly Host[];
  /** The hosts are asked by gossip which node to use. One host without `+discover` is used as it is. */
  readonly discovers: boolean;
  readonly secure: boolean;
  readonly channelCredentials: ChannelCredentials;
  readonly account: { readonly username: string; readonly password: string } | undefined;
  readonly nodePreference: NodePreference;
  /** The shortest time between two searches for a node. */
  readonly discoveryIntervalMilliseconds: number;
  readonly gossipTimeoutMilliseconds: number;
  /** Passed on to the client as they are. */
  readonly clientSettings: {
    readonly connectionName?: string;
    readonly defaultDeadline?: number;
    readonly keepAliveInterval?: number;
    readonly keepAliveTimeout?: number;
  };
}

const DEFAULT_PORT = 2113;
const DEFAULT_GOSSIP_TIMEOUT_SECONDS = 3;
const SHAPE = /^(?:esdb|kurrentdb)(\+discover)?:\/\/(?:([^/?]*)@)?([^@/?]+)\/?(?:\?(.*))?$/;
const HOST = /^([\w.-]+)(?::(\d{1,5}))?$/;

type Options = ReadonlyMap<string, string>;

/** In lower case. The last three have a meaning for other clients only. */
const KNOWN = new Set(
  `tls tlscafile usercertfile userkeyfile nodepreference discoveryinterval gossiptimeout connectionname defaultdeadline
  keepaliveinterval keepalivetimeout maxdiscoverattempts throwonappendfailure tlsverifycert`.split(/\s+/),
);

/** Reads a connection string as the client does, but never repeats its password. @throws CannotConnect */
export function parseConnectionString(text: string): ServerAddress {
  const [, discover, account, hosts, query] = SHAPE.exec(text.trim()) ?? malformed('is not esdb://host:port?…');
  const options = optionsOf(query ?? '');
  const secure = choiceOf(options, 'tls', ['true', 'false'], 'true') === 'true';
  const parsed = (hosts as string).split(',').map(hostOf);
  return {
    hosts: parsed,
    discovers: discover !== undefined || parsed.length > 1,
    secure,
    channelCredentials: secure ? tlsOf(options) : credentials.createInsecure(),
    account: account === undefined ? undefined : accountOf(account),
    nodePreference: choiceOf(options, 'nodepreference', preferences, 'leader'),
    discoveryIntervalMilliseconds: numberOf(options, 'discoveryinterval', 1) ?? 0,
    gossipTimeoutMilliseconds: (numberOf(options, 'gossiptimeout', 1) ?? DEFAULT_GOSSIP_TIMEOUT_SECONDS) * 1000,
    clientSettings: clientSettingsOf(options),
  };
}

function malformed(why: string): never {
  throw new CannotConnect(`the connection string of the event store ${why}`);
}

function optionsOf(query: string): Options {
  const options = new Map<string, string>();
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    const known = name.toLowerCase().replace(/[_-]/g, '');
    if (!KNOWN.has(known)) malformed(`has an option that is not known: ${name}`);
    if (value === '') malformed(`has no value for ${name}`);
    options.set(known, decoded(value));
  }
  return options;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return malformed('has a % that is not followed by two hexadecimal digits');
  }
}

function hostOf(text: string): Host {
  const [, address, port = String(DEFAULT_PORT)] =
    HOST.exec(text.trim()) ?? malformed(`has a host that is not name:port: ${text}`);
  if (Number(port) < 1 || Number(port) > 65_535) malformed(`has a port that does not exist: ${port}`);
  return { address: address as string, port: Number(port) };
}

function accountOf(text: string): ServerAddress['account'] {
  const colon = text.indexOf(':');
  if (colon < 1) malformed('has an account without a password: write user:password@');
  return { username: decoded(text.slice(0, colon)), password: decoded(text.slice(colon + 1)) };
}

function choiceOf<Choice extends string>(
  options: Options,
  name: string,
  choices: readonly Choice[],
  usual: Choice,
): Choice {
  const given = options.get(name);
  if (given === undefined) return usual;
  const flat = (text: string) => text.toLowerCase().replace(/[_-]/g, '');
  return (
    choices.find((choice) => flat(choice) === flat(given)) ??
    malformed(`says ${name}=${given}, which is not ${choices.join(' or ')}`)
  );
}

function numberOf(options: Options, name: string, least: number): number | undefined {
  const given = options.get(name);
  if (given === undefined) return undefined;
  if (!/^-?\d{1,12}$/.test(given) || Number(given) < least)
    malformed(`says ${name}=${given}, which is not a whole number from ${least}`);
  return Number(given);
}

function clientSettingsOf(options: Options): ServerAddress['clientSettings'] {
  const settings = {
    connectionName: options.get('connectionname'),
    defaultDeadline: numberOf(options, 'defaultdeadline', 1),
    keepAliveInterval: numberOf(options, 'keepaliveinterval', -1),
    keepAliveTimeout: numberOf(options, 'keepalivetimeout', -1),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function tlsOf(options: Options): ChannelCredentials {
  const authority = fileOf(options, 'tlscafile', 'tlsCAFile');
  const certificate = fileOf(options, 'usercertfile', 'userCertFile');
  const key = fileOf(options, 'userkeyfile', 'userKeyFile');
  if ((certificate === undefined) !== (key === undefined))
    malformed('has only one of userCertFile and userKeyFile, which go together');
  if (authority) mustBeCertificate(authority, options.get('tlscafile') as string);
  try {
    return credentials.createSsl(authority, key, certificate);
  } catch (error) {
    return malformed(`names a certificate or a key that cannot be used: ${(error as Error).message}`);
  }
}

function fileOf(options: Options, name: string, written: string): Buffer | undefined {
  const path = options.get(name);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return malformed(
      `names a ${written} that ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`}: ${path}`,
    );
  }
}

function mustBeCertificate(bytes: Buffer, path: string): void {
  try {
    new X509Certificate(bytes);
  } catch {
    malformed(`names a tlsCAFile that holds no certificate: ${path}`);
  }
}
