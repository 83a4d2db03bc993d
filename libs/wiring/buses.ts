import { Inject } from '@nestjs/common';
import {
  Command,
  CommandHandler as HandlesCommand,
  QueryHandler as HandlesQuery,
  type ICommandHandler,
  type IQueryHandler,
  Query,
} from '@nestjs/cqrs';
import type { AddressedCommand, Outcome } from '#requests/addressed-command';
import { type AddressedRequest, CheckedSubjects } from '#requests/checked-subjects';
import { CommandHandler } from '#requests/command-handler';

/** What the command bus carries: any command, addressed to its stream. */
export class BusCommand extends Command<Outcome> {
  readonly addressed: AddressedCommand;

  constructor(addressed: AddressedCommand) {
    super();
    this.addressed = addressed;
  }
}

/** The single entry for commands from HTTP, the command line and processes. */
@HandlesCommand(BusCommand)
class BusCommandHandler implements ICommandHandler<BusCommand> {
  @Inject(CommandHandler) readonly handler!: CommandHandler;

  execute({ addressed }: BusCommand): Promise<Outcome> {
    return this.handler.execute(addressed);
  }
}

/** Operations also use the command bus. They change the running programs, but no stream. */
export class BusOperation extends Command<unknown> {
  readonly addressed: AddressedRequest;

  constructor(addressed: AddressedRequest) {
    super();
    this.addressed = addressed;
  }
}

@HandlesCommand(BusOperation)
class BusOperationHandler implements ICommandHandler<BusOperation> {
  @Inject(CheckedSubjects) readonly subjects!: CheckedSubjects;

  execute({ addressed }: BusOperation): Promise<unknown> {
    return this.subjects.execute(addressed);
  }
}

/** What the query bus carries: any query, with its subject and its name. */
export class BusQuery extends Query<unknown> {
  readonly addressed: AddressedRequest;

  constructor(addressed: AddressedRequest) {
    super();
    this.addressed = addressed;
  }
}

/** The single entry for reads. */
@HandlesQuery(BusQuery)
class BusQueryHandler implements IQueryHandler<BusQuery> {
  @Inject(CheckedSubjects) readonly subjects!: CheckedSubjects;

  execute({ addressed }: BusQuery): Promise<unknown> {
    return this.subjects.execute(addressed);
  }
}

export const busHandlers = [BusCommandHandler, BusOperationHandler, BusQueryHandler];
