import { isStaff } from '#domain/kernel/caller';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { type LeadCommand, type LeadState, leadStream } from '#domain/leads/lead';
import { type Claim, personClaimStream } from '#domain/leads/person-claim';
import { OWN_REQUEST, type SuppressedBy, sourceOf } from '#domain/leads/suppression';
import type { AnyCommand } from '#domain/ledger';
import type { Vault } from '#vault/vault';
import { type Outcome, TooMuchContention } from './addressed-command.ts';
import { personKeys } from './lead-receipt.ts';
import { keysInOrder } from './person-claims.ts';
import { listRefused, PersonOfForm, type Reached } from './person-of-form.ts';
import { type RequestContext, type RequestTools, requestTools } from './request-tools.ts';
import { startInTurns } from './turns.ts';

/** One person, by all that the person is reached by. */
export type SuppressionRequest = SuppressedBy & Reached;

/** Persons who are not sold any more (DLV-12). */
export const suppressionRequests = (tools: RequestTools) => ({
  /**
   * Suppresses persons. When it returns, none of their leads can be sold.
   * @returns of each, in the order given, whether it is new: the list did not have all of it, or the person had not asked for it
   * @throws RequestRefused, TooMuchContention, StoreUnavailable
   */
  suppress: (requests: readonly SuppressionRequest[], context: RequestContext): Promise<boolean[]> => {
    refuseLists(requests, context);
    return startInTurns(requests, (request) => suppressPerson(tools, request, context));
  },
});

function refuseLists(requests: readonly SuppressionRequest[], { caller }: RequestContext): void {
  if (isStaff(caller.roles)) return;
  if (requests.some((by) => sourceOf(by) !== OWN_REQUEST)) throw listRefused();
  const person = new PersonOfForm();
  for (const request of requests) person.add(request);
}

async function suppressPerson(
  tools: RequestTools,
  { telephones, emails, suppression, listId }: SuppressionRequest,
  context: RequestContext,
): Promise<boolean> {
  const by = { suppression, ...(listId !== undefined && { listId }) };
  let isNew = false;
  for (const key of keysOfReached(tools.vault, { telephones, emails }))
    if (await new SuppressedKey(tools, key, by, context).suppress()) isNew = true;
  return isNew;
}

/** In one order for all, and each key once. */
export const keysOfReached = (vault: Vault, { telephones, emails }: Reached): readonly string[] => {
  const names = [...telephones.map((telephone) => ({ telephone })), ...emails.map((email) => ({ email }))];
  return [...new Set(names.flatMap((name) => keysInOrder(personKeys(vault, name))))].sort();
};

const MAX_ROUNDS = 8;

/** One telephone number or e-mail address of a person. */
class SuppressedKey {
  readonly #tools: RequestTools;
  readonly #key: string;
  readonly #by: SuppressedBy;
  readonly #context: RequestContext;
  readonly #at: Instant;

  constructor(tools: RequestTools, key: string, by: SuppressedBy, context: RequestContext) {
    const { caller, commandId, until } = context;
    // Of its own, so that the commands name what was read for this key.
    this.#tools = requestTools(tools, context);
    this.#key = key;
    this.#by = by;
    this.#context = { caller, commandId, ...(until !== undefined && { until }) };
    this.#at = tools.now();
  }

  /**
   * The leads are withdrawn first, and then the key is suppressed if still the same lead has it: so no lead with that key is
   * stored or sold at a later place of the log. Another list, or the person's own request, is recorded beside what suppresses the
   * key already. @returns whether that is new
   */
  async suppress(): Promise<boolean> {
    const stream = personClaimStream(this.#key);
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const { claim, formerly, linked, suppressedBy } = await this.#tools.stateOf<'person'>(stream);
      if (suppressedBy.includes(sourceOf(this.#by))) return false;
      if (claim && !(await this.#withdrawHolder(claim))) continue;
      for (const leadId of [...formerly, ...linked]) await this.#withdrawChain(leadId);
      const from = claim && { leadId: claim.leadId, attempt: claim.attempt };
      const command = { type: 'SuppressPerson', at: this.#at, ...this.#by } as const;
      const outcome = await this.#send(stream, { ...command, ...(from && { from }) });
      if (outcome.kind === 'accepted') return outcome.events.length > 0 && !outcome.repeated;
    }
    throw new TooMuchContention();
  }

  /** @returns false when another request was quicker: read again */
  async #withdrawHolder({ leadId, attempt }: Claim): Promise<boolean> {
    const lead = await this.#lead(leadId);
    if (lead.status === 'unknown' && lead.forfeits > attempt) return true;
    if (lead.status === 'unknown') {
      // It may be on its way: from now on it is not stored with this claim.
      await this.#sendTo(leadId, { type: 'ForfeitReceipt', at: this.#at, attempt }, String(attempt));
      return false;
    }
    // The claim of a lead that does not have the key counts for nothing.
    if (lead.telephoneKey === this.#key || lead.emailKey === this.#key) await this.#withdrawChain(leadId);
    return true;
  }

  /** The lead, and those that have its person in its place. */
  async #withdrawChain(first: string): Promise<void> {
    const { suppression } = this.#by;
    const seen = new Set<string>();
    for (let leadId: string | undefined = first; leadId !== undefined && !seen.has(leadId); ) {
      seen.add(leadId);
      const lead: LeadState = await this.#lead(leadId);
      if (lead.status === 'available' || lead.status === 'withdrawn')
        await this.#sendTo(leadId, { type: 'SuppressLead', at: this.#at, suppression, personKey: this.#key });
      leadId = lead.holder;
    }
  }

  #lead(leadId: string): Promise<LeadState> {
    return this.#tools.stateOf<'lead'>(leadStream(leadId));
  }

  async #sendTo(leadId: string, command: LeadCommand, time = ''): Promise<void> {
    const { kind } = await this.#send(leadStream(leadId), command, time);
    if (kind !== 'accepted') throw new TooMuchContention();
  }

  /** @param time tells the same command, sent again to one stream, from the first one */
  async #send(stream: string, command: AnyCommand, time = ''): Promise<Outcome> {
    const commandId = deriveId(command.type, this.#context.commandId, this.#key, stream, time);
    return this.#tools.dispatch(await this.#tools.addressed(stream, command, { ...this.#context, commandId }));
  }
}
