import type { Metadata } from '@grpc/grpc-js';
import { NotLeader } from './not-leader.ts';
import { ServerNotReady } from './status.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a node says of itself or of another node. The numbers are those of the service definition. */
export const MEMBER_STATES = { unknown: 2, follower: 6, leader: 8 } as const;

/** A node, as a node of the same cluster sees it. */
export interface MemberView extends Address {
  readonly instanceId: string;
  readonly state: keyof typeof MEMBER_STATES;
  readonly isAlive: boolean;
}

/** The place of a node in its cluster. */
export interface ClusterMember {
  /** `deposed`: it is cut off from the other nodes and never answers an append. */
  readonly role: 'leader' | 'follower' | 'deposed';
  readonly leader: Address | undefined;
  /** All nodes of the cluster, as this one sees them. */
  readonly view: readonly MemberView[];
}

/**
 * Whether this node answers appends. A follower forwards them to the leader, unless the client asked for the leader.
 * @throws NotLeader, ServerNotReady
 */
export function answersAppends({ role, leader }: ClusterMember, metadata: Metadata): boolean {
  if (role !== 'follower') return role === 'leader';
  if (!leader) throw new ServerNotReady();
  if (metadata.get('requires-leader')[0] === 'true') throw new NotLeader(leader);
  return true;
}
