import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import { personClaimStream } from '#domain/leads/person-claim';
import type { AnyCommand, CommandOf } from '#domain/ledger';
import type { Clock } from '#gateways/clock';
import type { Effect, Untimed } from '#processes/process';
import type { Dispatch } from '../request-tools.ts';
import type { StreamCache } from '../stream-cache.ts';

interface KeepingDependencies {
  readonly streams: Pick<StreamCache, 'read'>;
  readonly clock: Clock;
  readonly dispatch: Dispatch;
}

const ACTOR = 'process:replacement-delivery';

/**
 * A grant was taken back: the buyer of the lead keeps it (DLV-11). Where its person was claimed meanwhile, the claim ends with the
 * last of the two; what is not sold yet is withdrawn. @returns what is to be recorded of it
 */
export async function keepPerson(
  { leadId, replacementId }: Extract<Effect, { kind: 'keep-person' }>,
  { streams, clock, dispatch }: KeepingDependencies,
): Promise<Untimed<CommandOf<'lead'>>> {
  const send = (stream: string, command: AnyCommand) => {
    const commandId = deriveId(command.type, replacementId, leadId, stream);
    const cause = { commandId, actor: ACTOR, authenticated: 'process', correlationId: replacementId } as const;
    return dispatch({
      stream,
      command,
      caller: { kind: 'process', actor: ACTOR, roles: ['process'], stores: 'all' },
      cause,
    });
  };
  const { state: lead } = await streams.read<'lead'>(leadStream(leadId));
  for (const key of [lead.telephoneKey, lead.emailKey]) {
    const stream = personClaimStream(key ?? '');
    const claim = key === undefined ? undefined : (await streams.read<'person'>(stream)).state.claim;
    if (!claim || claim.leadId === leadId) continue;
    await send(stream, { type: 'LinkPerson', at: clock.now(), leadId });
    await send(leadStream(claim.leadId), { type: 'MergeLead', at: clock.now(), byLeadId: leadId });
  }
  return { type: 'CorrectWithdrawal', replacementId };
}
