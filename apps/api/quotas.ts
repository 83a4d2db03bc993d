import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { membersOf, THIS_MACHINE } from '#apps/networks';
import { visitor } from '#domain/kernel/caller';
import { networkOf } from './network.ts';
import { Problem } from './problems.ts';

/** What one caller may have under way at a time, so that there is something left for the others. */
export interface Quotas {
  readonly feeds: number;
  /** Reads that fold a whole history, or make a file. */
  readonly largeReads: number;
}
export const QUOTAS = Symbol('Quotas');
export const USUAL_QUOTAS: Quotas = { feeds: 20, largeReads: 4 };

const isThisMachine = membersOf(THIS_MACHINE);

/** Whoever signed in or sent a key, and else a network. Who works on this machine may do what it can. */
function callerOf({ ip, identity: { caller } }: FastifyRequest): string | undefined {
  if (isThisMachine(ip)) return undefined;
  return caller === visitor ? networkOf(ip) : caller.actor;
}

/** Counts what each caller has under way. */
export class UnderWay {
  readonly #most: number;
  readonly #byCaller = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Until the answer is over, however it ends. @throws Problem */
  enter(request: FastifyRequest, { raw }: FastifyReply): void {
    // Who has left has no address any more.
    const caller = raw.destroyed ? undefined : callerOf(request);
    if (caller === undefined) return;
    const before = this.#byCaller.get(caller) ?? 0;
    if (before >= this.#most)
      throw new Problem('too-many-at-once', 'you have too many of these under way', { retryAfterSeconds: 5 });
    this.#byCaller.set(caller, before + 1);
    raw.once('close', () => this.#leave(caller));
  }

  #leave(caller: string): void {
    const left = (this.#byCaller.get(caller) ?? 0) - 1;
    if (left > 0) this.#byCaller.set(caller, left);
    else this.#byCaller.delete(caller);
  }
}

/** Of a route whose answer is work for the whole program. */
@Injectable()
export class LargeReads implements CanActivate {
  readonly #underWay: UnderWay;

  constructor(@Inject(QUOTAS) { largeReads }: Quotas) {
    this.#underWay = new UnderWay(largeReads);
  }

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    this.#underWay.enter(http.getRequest(), http.getResponse());
    return true;
  }
}
