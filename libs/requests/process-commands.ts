import type { Caller } from '#domain/kernel/caller';
import type { CommandResult, SentCommand } from '#processes/engine/options';
import type { AddressedCommand, Outcome } from './addressed-command.ts';
import { hasOlderText, sealOlderTexts } from './older-texts.ts';
import type { RequestDependencies } from './request-tools.ts';

/** That of the worker that sends it. */
type HeldLease = { readonly unit: string; readonly token: number };

/** Sends the command of a process over the bus. */
export async function sendOfProcess(
  { streams, vault, dispatch }: Pick<RequestDependencies, 'streams' | 'vault' | 'dispatch'>,
  sent: SentCommand,
  lease: HeldLease | undefined,
): Promise<CommandResult> {
  // Others are dispatched at once, in the order in which they are sent.
  const command = hasOlderText(sent.command)
    ? await sealOlderTexts({ streams, vault }, sent.stream, sent.command)
    : sent.command;
  return resultOf(await dispatch(addressed({ ...sent, command }, lease)));
}

function addressed(
  { stream, command, commandId, actor, because, eventsSeen }: SentCommand,
  lease: HeldLease | undefined,
): AddressedCommand {
  const chain = because
    ? { correlationId: because.cause.correlationId, causationId: because.eventId }
    : { correlationId: commandId };
  const under = lease && { lease: { unit: lease.unit, token: lease.token } };
  const cause = { commandId, actor, authenticated: 'process', ...chain, eventsSeen, ...under } as const;
  const parent = { kind: 'process', id: commandId, correlationId: chain.correlationId } as const;
  return { stream, command, caller: processCaller(actor), cause, parent };
}

const processCaller = (actor: string): Caller => ({ kind: 'process', actor, roles: ['process'], stores: 'all' });

function resultOf(outcome: Outcome): CommandResult {
  if (outcome.kind === 'accepted') return { position: outcome.position, events: outcome.events };
  if (outcome.kind === 'refused') return { refusal: outcome.refusal };
  throw new Error(`a process got ${outcome.kind}, but processes send neither keys nor revisions`);
}
