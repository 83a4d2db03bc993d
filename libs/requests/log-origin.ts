import type { Caller } from '#domain/kernel/caller';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { isHalfCopy, type LogOriginCommand, originStream } from '#domain/logs/log-origin';
import { CannotOpenStore, type EventStore } from '#event-store/port';
import type { CommandHandler } from './command-handler.ts';
import { StreamCache } from './stream-cache.ts';

const caller: Caller = { kind: 'program', actor: 'system:rewriting', roles: ['process'], stores: 'all' };

/** Records that a log begins as the copy of another one. @throws CannotOpenStore when it is the copy of a third one */
export const beginRewriting = (commands: Pick<CommandHandler, 'execute'>, from: string, at: Instant) =>
  record(commands, { type: 'BeginRewriting', at, from });

/** Records that a copy is whole. From then on, programs open it. */
export const finishRewriting = (commands: Pick<CommandHandler, 'execute'>, events: number, at: Instant) =>
  record(commands, { type: 'FinishRewriting', at, events });

async function record(commands: Pick<CommandHandler, 'execute'>, command: LogOriginCommand): Promise<void> {
  const commandId = deriveId(command.type, originStream);
  const cause = { commandId, correlationId: commandId, actor: caller.actor, authenticated: 'process' } as const;
  const outcome = await commands.execute({ stream: originStream, command, caller, cause });
  if (outcome.kind === 'refused') throw new CannotOpenStore('damaged', outcome.refusal.message);
}

/** A copy that was interrupted looks like a whole log: it is only opened to continue the copy. @throws CannotOpenStore */
export async function refuseHalfCopy(events: EventStore): Promise<void> {
  const { state } = await new StreamCache(events).read<'log'>(originStream);
  if (isHalfCopy(state)) throw halfCopyOf(state.from);
}

export const halfCopyOf = (original: string | undefined): CannotOpenStore =>
  new CannotOpenStore('damaged', `this log is a half copy of log ${original}: start that copy again to complete it`);
