/** Another node writes. */
export class NotLeader extends Error {
  readonly leader: { readonly host: string; readonly port: number };

  constructor(leader: { readonly host: string; readonly port: number }) {
    super(`the leader is ${leader.host}:${leader.port}`);
    this.leader = leader;
  }
}
