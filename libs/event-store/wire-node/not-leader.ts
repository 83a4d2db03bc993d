import { EventStoreError } from '../port.ts';

/** Another node is the leader, and only the leader writes. */
export class NotLeader extends EventStoreError {
  readonly leader: { readonly host: string; readonly port: number };

  constructor(leader: { readonly host: string; readonly port: number }) {
    super('not-leader', 'Leader info available');
    this.leader = leader;
  }
}
