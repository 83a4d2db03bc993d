import { type Answer, ask, type Trouble } from './asking-hosts.ts';
import type { Host, ServerAddress } from './connection-string.ts';
import { type Member, nameOf, nodeToUse } from './election.ts';

/** The hosts of a connection string, and the nodes that they named. They are asked before a client is made for one of them. */
export class Hosts {
  readonly #address: ServerAddress;
  /** By name: the nodes of the cluster, as they were named the last time. */
  #nodes: ReadonlyMap<string, Host> = new Map();
  #troubles: ReadonlyMap<string, Trouble> = new Map();

  constructor(address: ServerAddress) {
    this.#address = address;
  }

  /** Why the last search found no node: one reason a host. */
  get reasons(): string {
    return [...this.#troubles].map(([name, { reason }]) => `${name}: ${reason}`).join('; ');
  }

  /** Whether waiting is of no use: no host answered, and what one of them has against us does not mend by itself. */
  get isHopeless(): boolean {
    const troubles = [...this.#troubles.values()];
    return troubles.some(({ isFinal }) => isFinal) && this.#nodes.size === 0;
  }

  /** @returns the node to use, by preference the present one; undefined when there is none now */
  async find(present: Host | undefined): Promise<Host | undefined> {
    return this.#address.discovers ? this.#findInCluster(present) : this.#findAlone(present);
  }

  /** The host itself, or the leader that it sent us to, as long as that is there. */
  async #findAlone(present: Host | undefined): Promise<Host | undefined> {
    const troubles = new Map<string, Trouble>();
    for (const host of present ? [present, ...this.#address.hosts] : this.#address.hosts) {
      if (troubles.has(nameOf(host))) continue;
      const answer = await ask(host, this.#address);
      if ('members' in answer) return host;
      troubles.set(nameOf(host), answer);
    }
    this.#troubles = troubles;
    return undefined;
  }

  async #findInCluster(present: Host | undefined): Promise<Host | undefined> {
    const answers = await this.#askAll();
    const members = new Map<string, readonly Member[]>();
    const troubles = new Map<string, Trouble>();
    for (const [name, answer] of answers)
      if ('members' in answer) members.set(name, answer.members);
      else troubles.set(name, answer);
    if (members.size > 0)
      this.#nodes = new Map([...members.values()].flat().map(({ host }) => [nameOf(host), host] as const));
    const node = nodeToUse(members, this.#address.nodePreference, present);
    for (const name of members.keys()) troubles.set(name, NO_MAJORITY);
    this.#troubles = troubles;
    return node;
  }

  /** Also the nodes that are named only in the answers: a host of the connection string may be a name for several. */
  async #askAll(): Promise<ReadonlyMap<string, Answer>> {
    const answers = new Map<string, Answer>();
    let next = new Map([...this.#address.hosts.map((host) => [nameOf(host), host] as const), ...this.#nodes]);
    while (next.size > 0) {
      const asked = [...next];
      const answered = await Promise.all(asked.map(([, host]) => ask(host, this.#address)));
      next = new Map();
      for (const [index, answer] of answered.entries()) answers.set((asked[index] as [string, Host])[0], answer);
      for (const answer of answered)
        for (const { host } of 'members' in answer ? answer.members : [])
          if (!answers.has(nameOf(host))) next.set(nameOf(host), host);
    }
    return answers;
  }
}

const NO_MAJORITY: Trouble = { reason: 'it answers, but no majority of the cluster names a leader', isFinal: false };
