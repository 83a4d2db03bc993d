import type { sendUnaryData } from '@grpc/grpc-js';
import type { ClusterMember } from './cluster-member.ts';
import * as replies from './replies.ts';
import { type GrpcCall, statusOf } from './status.ts';

/** Says which nodes there are and which of them leads: clients that know several hosts ask for it first. */
export class GossipService {
  readonly #member: ClusterMember;
  readonly #admit: (call: GrpcCall) => void;

  constructor(member: ClusterMember, admit: (call: GrpcCall) => void) {
    this.#member = member;
    this.#admit = admit;
  }

  read(call: GrpcCall, answer: sendUnaryData<Buffer>): void {
    try {
      this.#admit(call);
      answer(null, replies.gossip(this.#member.view));
    } catch (error) {
      answer(statusOf(error));
    }
  }
}
