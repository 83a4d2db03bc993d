import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import type { Host, NodePreference } from './connection-string.ts';

/** A node of a cluster, as another one sees it. */
export interface Member {
  readonly host: Host;
  readonly state: number;
  readonly isAlive: boolean;
}

const { VNodeState: STATES } = gossip.MemberInfo;
const REPLICAS_FOR_READING: readonly number[] = [
  STATES.READONLYREPLICA,
  STATES.PREREADONLYREPLICA,
  STATES.READONLYLEADERLESS,
];
const PREFERRED: Readonly<Record<NodePreference, readonly number[]>> = {
  leader: [STATES.LEADER],
  follower: [STATES.FOLLOWER],
  read_only_replica: REPLICAS_FOR_READING,
  random: [STATES.LEADER, STATES.FOLLOWER, ...REPLICAS_FOR_READING],
};

export const nameOf = ({ address, port }: Host): string => `${address}:${port}`;

/**
 * The node that a majority of the cluster calls its leader. A node that was cut off from the others calls itself leader for
 * a while, or for ever if it is alone. Where we reach less than a majority, the word of a leader that sees one counts.
 * @param answers what each node that answers says of all, by the name of the node
 */
export function leaderOf(answers: ReadonlyMap<string, readonly Member[]>): Host | undefined {
  const needed = Math.floor(Math.max(...[...answers.values()].map(votersIn), 0) / 2) + 1;
  const voters = [...answers].filter(([name, members]) => members.some(({ host }) => nameOf(host) === name));
  const votes = Map.groupBy(
    voters.flatMap(([, members]) => members.filter(isLeader)),
    ({ host }) => nameOf(host),
  );
  for (const leaders of votes.values()) if (leaders.length >= needed) return leaders[0]?.host;
  if (voters.length >= needed) return undefined;
  // A follower that is the only one to answer proves nothing: its leader may be gone.
  const byItself = voters.flatMap(([name, members]) => {
    const isSeen = members.filter((member) => member.isAlive && isVoter(member)).length >= needed;
    return isSeen ? members.filter((member) => isLeader(member) && nameOf(member.host) === name) : [];
  });
  return byItself.length === 1 ? byItself[0]?.host : undefined;
}

/** The node to use, as it is preferred: the present one if it may stay. Without a leader there is none. */
export function nodeToUse(
  answers: ReadonlyMap<string, readonly Member[]>,
  preference: NodePreference,
  present: Host | undefined,
): Host | undefined {
  const leader = leaderOf(answers);
  if (!leader || preference === 'leader') return leader;
  const seen = answers.get(nameOf(leader)) ?? [...answers.values()].find((members) => members.some(isLeader)) ?? [];
  const hosts = seen
    .filter(({ isAlive, state }) => isAlive && PREFERRED[preference].includes(state))
    .map(({ host }) => host);
  return (
    hosts.find((host) => present && nameOf(host) === nameOf(present)) ??
    hosts[Math.floor(Math.random() * hosts.length)] ??
    leader
  );
}

const isLeader = ({ isAlive, state }: Member): boolean => isAlive && state === STATES.LEADER;
const isVoter = ({ state }: Member): boolean => state !== STATES.MANAGER && !REPLICAS_FOR_READING.includes(state);
const votersIn = (members: readonly Member[]): number => members.filter(isVoter).length;
