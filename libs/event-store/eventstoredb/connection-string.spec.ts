import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConnectionString } from './connection-string.ts';

describe('a connection string', () => {
  it('names hosts, an account and options', () => {
    const text =
      'esdb://ledger:p%40ss:word@a.example:2113,b.example/?tls=false&nodePreference=Follower&gossipTimeout=7&defaultDeadline=4000&keepAliveInterval=-1&keepAliveTimeout=20000&connectionName=api&discoveryInterval=250';
    expect(parseConnectionString(text)).toMatchObject({
      hosts: [
        { address: 'a.example', port: 2113 },
        { address: 'b.example', port: 2113 },
      ],
      discovers: true,
      secure: false,
      account: { username: 'ledger', password: 'p@ss:word' },
      nodePreference: 'follower',
      discoveryIntervalMilliseconds: 250,
      gossipTimeoutMilliseconds: 7000,
      clientSettings: { connectionName: 'api', defaultDeadline: 4000, keepAliveInterval: -1, keepAliveTimeout: 20_000 },
    });
  });

  it.each([
    ['esdb://a:2113', false],
    ['esdb+discover://cluster.example', true],
    ['kurrentdb://a:2113', false],
    ['kurrentdb+discover://cluster.example:2113', true],
    ['esdb://a,b,c?tls=true', true],
  ])('%s: whether the hosts are asked for the nodes of their cluster: %s', (text, discovers) => {
    expect(parseConnectionString(text)).toMatchObject({ discovers, secure: true });
  });

  const secret = 'esdb://ledger:secret';
  it.each([
    [`http://ledger:secret@a`, 'is not esdb://host:port?…'],
    [`${secret}@a:99999`, 'has a port that does not exist: 99999'],
    [`${secret}@a:x`, 'has a host that is not name:port: a:x'],
    [`${secret}@a?tls=perhaps`, 'says tls=perhaps, which is not true or false'],
    [`${secret}@a?tsl=true`, 'has an option that is not known: tsl'],
    [`${secret}@a?keepAliveInterval=ten`, 'says keepaliveinterval=ten, which is not a whole number from -1'],
    [`${secret}@a?connectionName`, 'has no value for connectionName'],
    [`${secret}%@a`, 'has a % that is not followed by two hexadecimal digits'],
    ['esdb://ledger@a', 'has an account without a password: write user:password@'],
    [`${secret}@a?tlsCAFile=/nowhere/ca.crt`, 'names a tlsCAFile that does not exist: /nowhere/ca.crt'],
    [`${secret}@a?userKeyFile=package.json`, 'has only one of userCertFile and userKeyFile, which go together'],
  ])('%s is refused without its password', (text, why) => {
    const message = `the connection string of the event store ${why}`;
    expect(() => parseConnectionString(text)).toThrow(expect.objectContaining({ code: 'cannot-connect', message }));
    expect(message).not.toContain('secret');
  });

  it('may name a file with certificates only', () => {
    const directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
    try {
      const path = join(directory, 'ca.crt');
      writeFileSync(path, 'no certificate');
      expect(() => parseConnectionString(`esdb://a?tlsCAFile=${path}`)).toThrow(
        `the connection string of the event store names a tlsCAFile that holds no certificate: ${path}`,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
