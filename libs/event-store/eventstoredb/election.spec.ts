import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import { leaderOf, type Member, nodeToUse } from './election.ts';

const { LEADER, FOLLOWER, UNKNOWN, READONLYREPLICA } = gossip.MemberInfo.VNodeState;
const host = (address: string) => ({ address, port: 2113 });
const member = (address: string, state: number, isAlive = true): Member => ({ host: host(address), state, isAlive });
const dead = (address: string): Member => member(address, UNKNOWN, false);
const said = (answers: Record<string, readonly Member[]>) =>
  new Map(Object.entries(answers).map(([name, members]) => [`${name}:2113`, members]));

const whole = [member('a', LEADER), member('b', FOLLOWER), member('c', FOLLOWER)];
const withoutA = [dead('a'), member('b', LEADER), member('c', FOLLOWER)];

describe('the leader', () => {
  it('is the node that all call so', () => {
    expect(leaderOf(said({ a: whole, b: whole, c: whole }))).toEqual(host('a'));
  });

  it('is not a node that was cut off and calls itself so, when the others have elected another one', () => {
    const deposed = [member('a', LEADER), dead('b'), dead('c')];
    expect(leaderOf(said({ a: deposed, b: withoutA, c: withoutA }))).toEqual(host('b'));
  });

  it('is nobody while the others elect one, although the former leader still calls itself so', () => {
    const electing = [dead('a'), member('b', UNKNOWN), member('c', UNKNOWN)];
    expect(leaderOf(said({ a: whole, b: electing, c: electing }))).toBeUndefined();
  });

  it('is found when one of three nodes does not answer', () => {
    expect(leaderOf(said({ b: withoutA, c: withoutA }))).toEqual(host('b'));
    expect(leaderOf(said({ a: whole, c: withoutA }))).toBeUndefined();
  });

  it('is the only node that we reach, if that sees a majority', () => {
    expect(leaderOf(said({ a: whole }))).toEqual(host('a'));
    expect(leaderOf(said({ a: [member('a', LEADER), dead('b'), dead('c')] }))).toBeUndefined();
    expect(leaderOf(said({ b: whole }))).toBeUndefined();
  });

  it('is elected by nodes, not by the names under which one node is asked', () => {
    const deposed = [member('a', LEADER), dead('b'), dead('c')];
    expect(leaderOf(said({ a: deposed, alias: deposed }))).toBeUndefined();
  });

  it('is not elected by replicas for reading', () => {
    const replicas = [member('r', READONLYREPLICA), member('s', READONLYREPLICA)];
    const members = [member('a', LEADER), member('b', FOLLOWER), dead('c'), ...replicas];
    expect(leaderOf(said({ a: members, b: members }))).toEqual(host('a'));
  });

  it('is the one node of a cluster of one', () => {
    expect(leaderOf(said({ a: [member('a', LEADER)] }))).toEqual(host('a'));
    expect(leaderOf(new Map())).toBeUndefined();
  });
});

describe('the node to use', () => {
  const answers = said({ a: whole, b: whole, c: whole });

  it('is of the preferred kind, and stays the same as long as it is', () => {
    expect(nodeToUse(answers, 'leader', host('b'))).toEqual(host('a'));
    expect(nodeToUse(answers, 'follower', host('c'))).toEqual(host('c'));
    expect([host('b'), host('c')]).toContainEqual(nodeToUse(answers, 'follower', host('a')));
    expect(nodeToUse(answers, 'random', host('a'))).toEqual(host('a'));
  });

  it('is the leader where there is none of the preferred kind', () => {
    expect(nodeToUse(answers, 'read_only_replica', undefined)).toEqual(host('a'));
  });
});
