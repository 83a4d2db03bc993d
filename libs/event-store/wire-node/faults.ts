import { setTimeout as wait } from 'node:timers/promises';
import { AppendTooLarge, type ExpectedRevision, WrongExpectedRevision } from '../port.ts';
import { NotLeader } from './not-leader.ts';

/** Ways in which an append can fail between client and server. */
export type Fault =
  /** It is written, but the client gets no reply. */
  | { readonly kind: 'lose-reply' }
  /** It is not written, and the client gets no reply. */
  | { readonly kind: 'lose-request' }
  | { readonly kind: 'delay'; readonly milliseconds: number }
  | { readonly kind: 'not-leader'; readonly host: string; readonly port: number }
  | { readonly kind: 'wrong-version' }
  | { readonly kind: 'too-large' };

/** Faults that a test asked for; each one affects one append. */
export class Faults {
  readonly #waiting: Fault[] = [];

  add(fault: Fault): void {
    this.#waiting.push(fault);
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  async around<Result>(
    append: () => Promise<Result>,
    { stream, expected }: { stream: string; expected: ExpectedRevision },
  ): Promise<Result | 'no-reply'> {
    const fault = this.#waiting.shift();
    switch (fault?.kind) {
      case undefined:
        return append();
      case 'lose-reply':
        await append();
        return 'no-reply';
      case 'lose-request':
        return 'no-reply';
      case 'delay':
        await wait(fault.milliseconds);
        return append();
      case 'not-leader':
        throw new NotLeader(fault);
      case 'wrong-version':
        throw new WrongExpectedRevision(stream, expected, 7);
      case 'too-large':
        throw new AppendTooLarge('refused by size');
    }
  }
}
