import { Inject } from '@nestjs/common';
import { Command, type CommandBus, CommandHandler as HandlesCommand, type ICommandHandler } from '@nestjs/cqrs';
import { type AddressedCommand, CommandHandler, type Outcome } from '#requests/command-handler';
import type { Dispatch } from '#requests/request-tools';

/** What the command bus carries: any command, addressed to its stream. */
export class BusCommand extends Command<Outcome> {
  readonly addressed: AddressedCommand;

  constructor(addressed: AddressedCommand) {
    super();
    this.addressed = addressed;
  }
}

/** The one door: every command of HTTP, of the command line and of processes comes through here. */
@HandlesCommand(BusCommand)
export class BusCommandHandler implements ICommandHandler<BusCommand> {
  readonly #handler: CommandHandler;

  constructor(@Inject(CommandHandler) handler: CommandHandler) {
    this.#handler = handler;
  }

  execute({ addressed }: BusCommand): Promise<Outcome> {
    return this.#handler.execute(addressed);
  }
}

export const dispatchOver =
  (bus: CommandBus): Dispatch =>
  (addressed) =>
    bus.execute(new BusCommand(addressed));
