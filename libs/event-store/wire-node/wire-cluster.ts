import { randomUUID } from 'node:crypto';
import type { EventStore } from '../port.ts';
import type { Address, ClusterMember, MemberView } from './cluster-member.ts';
import { SwitchableListener } from './switchable-listener.ts';
import { startWireNode, type WireNode, type WireNodeOptions } from './wire-node.ts';

/**
 * `leader`, `follower`: as the words say. `deposed`: cut off from the other nodes, not from the clients: it answers reads
 * and never an append. `frozen`: accepts connections and answers nothing. `away`: nothing listens.
 */
export type ClusterRole = 'leader' | 'follower' | 'deposed' | 'frozen' | 'away';

type NodeOptions = Omit<WireNodeOptions, 'store' | 'port' | 'host' | 'member'>;

/** Several nodes on one store, which tests tell what to be. */
export async function startWireCluster(store: EventStore, size: number, options: NodeOptions = {}) {
  const cluster = new WireCluster();
  for (let index = 0; index < size; index += 1) await cluster.addNode(store, { writable: true, ...options });
  return cluster;
}

export class WireCluster {
  readonly #nodes: ClusterNode[] = [];

  /** The first node leads, the others follow it. */
  async addNode(store: EventStore, options: NodeOptions): Promise<void> {
    const node = new ClusterNode(this.#nodes);
    await node.start(store, options);
    this.#nodes.push(node);
  }

  /** All hosts, so that clients ask them for gossip. */
  get connectionString(): string {
    const hosts = this.#nodes.map(({ host, port }) => `${host}:${port}`);
    return `esdb://${hosts.join(',')}?tls=false`;
  }

  get nodes(): readonly Pick<ClusterNode, 'port' | 'connectionString' | 'wireNode'>[] {
    return this.#nodes;
  }

  /** A node that led before follows the new leader. No node becomes leader by itself. */
  async become(index: number, role: ClusterRole): Promise<void> {
    if (role === 'leader')
      for (const node of this.#nodes) if (node.clusterRole === 'leader') await node.become('follower');
    await this.#nodes.at(index)?.become(role);
  }

  /** The store stays open. */
  async close(): Promise<void> {
    for (const node of this.#nodes) await node.close();
  }
}

class ClusterNode implements ClusterMember, Address {
  readonly host = '127.0.0.1';
  readonly #all: readonly ClusterNode[];
  readonly #instanceId = randomUUID();
  clusterRole: ClusterRole;
  /** What the other nodes last knew of it. */
  #lastKnown: 'leader' | 'follower';
  #listener: SwitchableListener | undefined;
  #wireNode: WireNode | undefined;

  constructor(all: readonly ClusterNode[]) {
    this.#all = all;
    this.#lastKnown = all.length === 0 ? 'leader' : 'follower';
    this.clusterRole = this.#lastKnown;
  }

  async start(store: EventStore, options: NodeOptions): Promise<void> {
    this.#wireNode = await startWireNode({ ...options, store, member: this });
    this.#listener = await SwitchableListener.open({ host: this.host, port: this.#wireNode.port });
  }

  /** For faults of single appends. */
  get wireNode(): WireNode {
    if (!this.#wireNode) throw new Error('the node has not started');
    return this.#wireNode;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get connectionString(): string {
    return `esdb://${this.host}:${this.port}?tls=false`;
  }

  get role(): ClusterMember['role'] {
    return this.clusterRole === 'leader' || this.clusterRole === 'deposed' ? this.clusterRole : 'follower';
  }

  get leader(): Address | undefined {
    return this.#all.find(({ clusterRole }) => clusterRole === 'leader');
  }

  get view(): readonly MemberView[] {
    return this.#all.map((node) => this.#viewOf(node));
  }

  async become(role: ClusterRole): Promise<void> {
    this.clusterRole = role;
    if (role === 'leader' || role === 'follower') this.#lastKnown = role;
    if (role === 'away') await this.#listener?.close();
    else if (role === 'frozen') await this.#listener?.freeze();
    else await this.#listener?.open();
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    await this.#wireNode?.close();
  }

  #viewOf(node: ClusterNode): MemberView {
    const { host, port } = node;
    const isAlive = node === this || (this.clusterRole !== 'deposed' && node.#isWithTheOthers);
    const state = node === this ? this.#ownState : node.#lastKnown;
    return { host, port, instanceId: node.#instanceId, state, isAlive };
  }

  get #isWithTheOthers(): boolean {
    return this.clusterRole === 'leader' || this.clusterRole === 'follower';
  }

  /** A deposed leader takes itself for the leader until the others have a new one. */
  get #ownState(): MemberView['state'] {
    if (this.clusterRole === 'leader') return 'leader';
    if (this.clusterRole === 'deposed') return this.leader ? 'unknown' : this.#lastKnown;
    return this.leader ? 'follower' : 'unknown';
  }
}
