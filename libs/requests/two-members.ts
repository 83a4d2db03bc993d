import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addDays } from '#domain/kernel/instants';
import { normaliseEmail, normaliseTelephone } from '#domain/leads/person-form';
import {
  type ActOnPerson,
  APPROVAL_DAYS,
  type ApprovalCommand,
  approvalsStream,
  waitingFor,
} from '#domain/persons/approvals';
import { policyAt, policyStream, twoMembersForPersonsIn } from '#domain/policy/policy';
import { type StaffState, staffStream } from '#domain/staff/staff';
import { exampleIds } from '#read-models/models/examples';
import type { NamedPerson } from './named-person.ts';
import type { PersonTools } from './person-search.ts';
import { type RequestContext, requestTools, whateverRevision, withoutRequestHash } from './request-tools.ts';
import { mustBeAccepted } from './rights.ts';

export interface ActRequest {
  readonly person: NamedPerson;
  /** Of what another member has asked for. */
  readonly approvalId?: string | undefined;
}

export const awaitedApproval = z
  .object({
    approvalId: z.string().describe('Another member of staff sends it, with the same person.'),
    requestedBy: z.string().describe('Who asked first.'),
    expiresAt: instant.describe('Until when it can be approved.'),
  })
  .meta({ id: 'AwaitedApproval' });
export type AwaitedApproval = z.infer<typeof awaitedApproval>;

export const awaitedApprovalExample: AwaitedApproval = {
  approvalId: exampleIds.approvalId,
  requestedBy: 'staff:ada',
  expiresAt: '2026-03-09T15:12:40.000Z',
};

/**
 * Carries out what is done about a person: at once, or where the policy wants two members of staff, when the second one approves.
 * @throws RequestRefused
 */
export async function asPolicySays<Done>(
  tools: PersonTools,
  context: RequestContext,
  act: ActOnPerson,
  { person: name, approvalId }: ActRequest,
  carryOut: () => Promise<Done>,
): Promise<Done | AwaitedApproval> {
  const at = tools.now();
  const inForce = policyAt(await tools.stateOf<'policy'>(policyStream), at);
  if (approvalId === undefined && !twoMembersForPersonsIn(inForce?.policy)) return carryOut();
  const asked = { at, act, person: tools.vault.personKey('approval', nameIn(name)) } as const;
  const { actor } = context.caller;
  if (approvalId !== undefined) {
    const mayAsk = await mayStillAsk(tools, approvalId);
    // A request that is sent again with its key is decided again: an approval does not last.
    const send = (command: ApprovalCommand) =>
      sendTo(tools, { ...withoutRequestHash(context), commandId: randomUUID() }, command);
    await send({ type: 'Approve', ...asked, approvalId, approvedBy: actor, mayAsk });
    const done = await carryOut();
    await send({ type: 'FinishApproval', at: tools.now(), approvalId });
    return done;
  }
  const id = deriveId('approval', context.commandId);
  const expiresAt = addDays(at, APPROVAL_DAYS);
  const request = { ...asked, approvalId: id, requestedBy: actor, expiresAt };
  const first = { ...context, commandId: deriveId('approve', context.commandId) };
  await sendTo(tools, first, { type: 'RequestApproval', ...request });
  const state = await tools.stateOf<'approvals'>(approvalsStream);
  const waiting = waitingFor(state, asked, at) ?? state.get(id) ?? request;
  return { approvalId: waiting.approvalId, requestedBy: waiting.requestedBy, expiresAt: waiting.expiresAt };
}

async function sendTo(tools: PersonTools, context: RequestContext, command: ApprovalCommand): Promise<void> {
  const { outcome } = await requestTools(tools).send('main', approvalsStream, command, whateverRevision(context));
  mustBeAccepted(outcome, 'the approval');
}

/** Whether who asked is still one of those who may. In a trial nobody is a member, and everybody may. */
async function mayStillAsk({ stateOf }: Pick<PersonTools, 'stateOf'>, approvalId: string): Promise<boolean> {
  const asked = (await stateOf<'approvals'>(approvalsStream)).get(approvalId);
  return asked === undefined || isAskedByStaff(await stateOf<'staff'>(staffStream), asked);
}

/** An approval counts while who asked for it works for all stores as support. */
export function isAskedByStaff({ members }: StaffState, { requestedBy }: { readonly requestedBy: string }): boolean {
  if (members.size === 0) return true;
  const member = members.get(requestedBy.slice(requestedBy.indexOf(':') + 1));
  return member?.roles.includes('support') === true && member.stores === 'all';
}

/** In one form, however it was typed. */
function nameIn({ customerId, leadId, telephone, email }: NamedPerson): string {
  if (customerId !== undefined) return `customer ${customerId}`;
  if (leadId !== undefined) return `lead ${leadId}`;
  if (telephone !== undefined) return `telephone ${normaliseTelephone(telephone)}`;
  return `email ${normaliseEmail(email ?? '')}`;
}
