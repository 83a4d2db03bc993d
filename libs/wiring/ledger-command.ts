import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Ledger, type Order, type Outcome } from './ledger.ts';

/** What the command bus carries: any command of the ledger's list, addressed to its stream. */
export class LedgerCommand extends Command<Outcome> {
  readonly order: Order;

  constructor(order: Order) {
    super();
    this.order = order;
  }
}

/** The one handler. Which decider decides is told by the stream's family. */
@CommandHandler(LedgerCommand)
export class LedgerCommandHandler implements ICommandHandler<LedgerCommand> {
  readonly #ledger: Ledger;

  constructor(@Inject(Ledger) ledger: Ledger) {
    this.#ledger = ledger;
  }

  execute({ order }: LedgerCommand): Promise<Outcome> {
    return this.#ledger.execute(order);
  }
}
