import { setTimeout as pause } from 'node:timers/promises';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import type { ClaimTerms } from '#domain/leads/claim-terms';
import { compareHolders, type Holding, holdingOf, holdingOfHolder, isStillSold, matchOf } from '#domain/leads/holding';
import { keysOf, type LeadCommand, type LeadState, leadStream, type Match, mayBeSold } from '#domain/leads/lead';
import { type Claim, personClaimStream } from '#domain/leads/person-claim';
import { idOfRecord, isSameRecord, neighbouringIds, type ReceivedRecord } from '#domain/leads/same-record';
import { TooMuchContention } from './addressed-command.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';
import { type TermsOfBusiness, termsOfBusiness } from './terms-of-business.ts';

export interface PersonKeys {
  readonly telephoneKey?: string;
  readonly emailKey?: string;
}

/** One record of a person that is to be stored. */
export interface Newcomer extends PersonKeys {
  readonly leadId: string;
  readonly leadTypeId: string;
  readonly source: string;
  readonly capturedAt?: Instant;
}

/** `known`: the record is stored already. `same`: it is stored under another id. `suppressed`: its person is not sold (DLV-12). */
export type Settled =
  | { readonly kind: 'same'; readonly leadId: string }
  | { readonly kind: 'claimed'; readonly attempt: number }
  | { readonly kind: 'duplicate'; readonly duplicateOf: string; readonly match: Match }
  | { readonly kind: 'known' | 'suppressed' };

/** All records claim their keys in this order, so that they never wait for each other in a circle. */
export const keysInOrder = ({ telephoneKey, emailKey }: PersonKeys): readonly string[] =>
  [telephoneKey, emailKey].filter((key) => key !== undefined).sort();

/**
 * Claims the person of a new record (DLV-11), without waiting.
 * @returns whether nobody else has it. If somebody may have it, `settleClaims` finds out.
 */
export async function claimPerson(
  tools: RequestTools,
  newcomer: Newcomer,
  at: Instant,
  context: RequestContext,
): Promise<boolean> {
  const claims = new PersonClaims(tools, newcomer, at, context);
  for (const key of keysInOrder(newcomer)) if (!(await claims.claim(key, 0, undefined, true))) return false;
  return true;
}

/**
 * Finds out who has the person of a record, and claims it where a claim has ended. It may wait some seconds for another
 * record of the person that is being stored.
 * @throws TooMuchContention
 */
export async function settleClaims(
  tools: RequestTools,
  newcomer: Newcomer,
  at: Instant,
  context: RequestContext,
): Promise<Settled> {
  const claims = new PersonClaims(tools, newcomer, at, context);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const settled = await claims.settle();
    if (settled) return settled;
  }
  throw new TooMuchContention();
}

const MAX_ROUNDS = 8;
/** Between the claim of a person and its lead nothing is waited for: who takes longer has most likely failed. */
const SECONDS_FOR_A_RECEIPT = 3;
const MILLISECONDS_BETWEEN_LOOKS = 20;
/** By the clock of the store, which may differ between machines. */
const SECONDS_OF_AN_OLD_CLAIM = 60;

/** A key that another lead claimed, and what is to be done before it can be claimed from it. */
interface Held {
  readonly key: string;
  readonly claim: Claim;
  readonly holder: string;
  readonly holding: Holding;
  /** All leads that ever had the person by this key. */
  readonly claimants: readonly string[];
}

/** The keys of one record, one step after the other. */
class PersonClaims {
  readonly #tools: RequestTools;
  readonly #newcomer: Newcomer;
  readonly #context: RequestContext;
  readonly #at: Instant;

  constructor(tools: RequestTools, newcomer: Newcomer, at: Instant, { caller, commandId, until }: RequestContext) {
    this.#tools = tools;
    this.#newcomer = newcomer;
    this.#context = { caller, commandId, ...(until !== undefined && { until }) };
    this.#at = at;
  }

  /** @returns undefined when another request was quicker: ask again */
  async settle(): Promise<Settled | undefined> {
    const own = await this.#lead(this.#newcomer.leadId);
    if (own.knownAs !== undefined) return { kind: 'same', leadId: own.knownAs };
    if (own.status !== 'unknown') return { kind: 'known' };
    if (await this.#isSuppressed()) return this.#giveUp(own.forfeits);
    const terms = await termsOfBusiness(this.#tools, this.#at);
    const held: Held[] = [];
    for (const key of keysInOrder(this.#newcomer)) {
      if (await this.claim(key, own.forfeits)) continue;
      const found = await this.#heldBy(key, terms);
      if (!found) return undefined;
      held.push(found);
    }
    const same = await this.#sameRecord(held);
    if (same !== undefined) return { kind: 'same', leadId: same };
    const blocking = held.filter(({ holding }) => holding.kind === 'held');
    if (blocking.length > 0) return this.#duplicate(blocking);
    for (const one of held) if (!(await this.#take(one, own.forfeits, terms))) return undefined;
    return { kind: 'claimed', attempt: own.forfeits };
  }

  /** @returns whether the record has the key now */
  async claim(key: string, attempt: number, from?: Claim, likelyNew = false): Promise<boolean> {
    const { leadId } = this.#newcomer;
    const follows = from ? [from.leadId, String(from.attempt)] : [];
    const command = { type: 'ClaimPerson', at: this.#at, leadId, attempt, ...(from && { from }) } as const;
    const commandId = deriveId('claim-person', leadId, key, String(attempt), ...follows);
    return this.#send(personClaimStream(key), command, commandId, likelyNew);
  }

  async #isSuppressed(): Promise<boolean> {
    const states = await Promise.all(keysInOrder(this.#newcomer).map((key) => this.#claimOf(key)));
    return states.some(({ suppressedBy }) => suppressedBy.length > 0);
  }

  /** Another key may have been claimed before it was seen: that claim counts for nothing. */
  async #giveUp(attempt: number): Promise<Settled> {
    const { leadId } = this.#newcomer;
    for (const key of keysInOrder(this.#newcomer)) {
      const { claim } = await this.#claimOf(key);
      if (claim?.leadId !== leadId || claim.attempt !== attempt) continue;
      await this.#sendTo(leadId, { type: 'ForfeitReceipt', at: this.#at, attempt }, key);
      break;
    }
    return { kind: 'suppressed' };
  }

  #claimOf(key: string) {
    return this.#tools.stateOf<'person'>(personClaimStream(key));
  }

  /** The same record has the same keys: it is among those that ever claimed one, or under an id that is made from it. */
  async #sameRecord(held: readonly Held[]): Promise<string | undefined> {
    const record: ReceivedRecord = { ...this.#newcomer, at: this.#at };
    const made = held.length > 0 ? [idOfRecord(record), ...neighbouringIds(record)] : [];
    for (const candidate of new Set([...held.flatMap(({ claimants }) => claimants), ...made])) {
      const found = await this.#lead(candidate);
      const { knownAs: leadId = candidate } = found;
      if (leadId === this.#newcomer.leadId) continue;
      const { record: stored } = leadId === candidate ? found : await this.#stored(leadId, true);
      if (stored && isSameRecord(record, stored)) return leadId;
    }
    return undefined;
  }

  async #duplicate(blocking: readonly Held[]): Promise<Settled | undefined> {
    const { telephoneKey, emailKey } = this.#newcomer;
    const has = (key: string | undefined) => blocking.some((one) => one.key === key);
    const match = matchOf({ telephone: has(telephoneKey), email: has(emailKey) });
    const duplicateOf = await this.#asOnePerson(blocking);
    return duplicateOf === undefined ? undefined : { kind: 'duplicate', duplicateOf, match };
  }

  /**
   * The record tells that the leads which have its keys are of one person. One of them keeps the person, the others are withdrawn.
   * What was sold out meanwhile keeps it as well. @returns the lead that keeps the person; undefined when another record linked them
   * meanwhile, or one was sold: each would be withdrawn for the other
   */
  async #asOnePerson(blocking: readonly Held[]): Promise<string | undefined> {
    const ids = [...new Set(blocking.map(({ holder }) => holder))];
    const holders = await Promise.all(ids.map(async (leadId) => ({ leadId, lead: await this.#lead(leadId) })));
    if (holders.some(({ lead }) => lead.holder !== undefined)) return undefined;
    const [kept, ...others] = holders.sort(compareHolders) as [(typeof holders)[0], ...typeof holders];
    const sold: string[] = [];
    for (const { leadId: other, lead } of others) {
      const { length: assignments } = lead.assignments;
      const merge = { type: 'MergeLead', at: this.#at, byLeadId: kept.leadId, assignments } as const;
      const isMerged = await this.#sendTo(other, merge, kept.leadId);
      if (!isMerged && mayBeSold(await this.#lead(other))) return undefined;
      if (!isMerged || assignments > 0) sold.push(other);
    }
    if (sold.length > 0) for (const { key, holder } of blocking) await this.#link(key, [kept.leadId, ...sold], holder);
    return kept.leadId;
  }

  async #link(key: string, sold: readonly string[], holder: string): Promise<void> {
    for (const leadId of sold) {
      const commandId = deriveId('link-person', this.#newcomer.leadId, key, leadId);
      const command = { type: 'LinkPerson', at: this.#at, leadId } as const;
      if (leadId !== holder) await this.#send(personClaimStream(key), command, commandId, false);
    }
  }

  /** @returns undefined when the key has become free, or its person is suppressed */
  async #heldBy(key: string, terms: TermsOfBusiness): Promise<Held | undefined> {
    const { claim, formerly, linked, suppressedBy } = await this.#claimOf(key);
    if (!claim || suppressedBy.length > 0) return undefined;
    const claimants = [claim.leadId, ...formerly, ...linked];
    const patient = addSeconds(claim.at, SECONDS_OF_AN_OLD_CLAIM) > this.#at;
    const lead = await this.#stored(claim.leadId, patient);
    const holding = holdingOf(claim, key, lead, this.#at, await this.#termsOf(lead, terms));
    const last = holding.kind === 'led' ? await this.#follow(holding.to, terms) : { holder: claim.leadId, holding };
    if (last.holding.kind === 'held' || last.holding.kind === 'missing') return { key, claim, claimants, ...last };
    return { key, claim, claimants, ...((await this.#heldByLinked(linked, terms)) ?? last) };
  }

  /** A lead of the person that was sold, too, before the store knew that it is one person. */
  async #heldByLinked(
    linked: readonly string[],
    terms: TermsOfBusiness,
  ): Promise<Pick<Held, 'holder' | 'holding'> | undefined> {
    for (const holder of linked) {
      const lead = await this.#lead(holder);
      if (isStillSold(lead, this.#at, await this.#termsOf(lead, terms))) return { holder, holding: { kind: 'held' } };
    }
    return undefined;
  }

  /** To the lead that has the person in the end. One that is missing, or leads in a circle, has nobody. */
  async #follow(to: string, terms: TermsOfBusiness): Promise<Pick<Held, 'holder' | 'holding'>> {
    const seen = new Set<string>([this.#newcomer.leadId]);
    for (let holder = to; !seen.has(holder); ) {
      seen.add(holder);
      const lead = await this.#stored(holder, true);
      const holding = holdingOfHolder(lead, this.#at, await this.#termsOf(lead, terms));
      if (holding.kind !== 'led') return { holder, holding: holding.kind === 'missing' ? { kind: 'ended' } : holding };
      holder = holding.to;
    }
    return { holder: to, holding: { kind: 'ended' } };
  }

  /** Ends the claim of another lead, on the stream of that lead, and claims the key from it. */
  async #take({ key, claim, holder, holding }: Held, attempt: number, terms: TermsOfBusiness): Promise<boolean> {
    const { leadId } = this.#newcomer;
    const at = this.#at;
    if (holding.kind === 'missing') {
      const forfeited = { type: 'ForfeitReceipt', at, attempt: claim.attempt, toLeadId: leadId } as const;
      await this.#sendTo(claim.leadId, forfeited, key);
      const { status, forfeits } = await this.#lead(claim.leadId);
      if (status !== 'unknown' || forfeits <= claim.attempt) return false;
    }
    if (holding.kind === 'ends') {
      const lead = await this.#lead(holder);
      const superseded = { type: 'SupersedeLead', at, leadTypeId: lead.leadTypeId, byLeadId: leadId } as const;
      if (!(await this.#sendTo(holder, { ...superseded, ...(await this.#termsOf(lead, terms)) }, key))) return false;
    }
    return this.claim(key, attempt, claim);
  }

  async #termsOf(lead: LeadState, { catalogue, policy }: TermsOfBusiness): Promise<ClaimTerms> {
    const present = catalogue.leadTypes.get(lead.leadTypeId);
    const ofNewcomer = catalogue.leadTypes.get(this.#newcomer.leadTypeId);
    return {
      agesNoFurther: present !== undefined && present.agesInto === undefined,
      agedAfterDays: policy?.policy.agedAfterDays ?? Number.POSITIVE_INFINITY,
      bothShared: present?.exclusivity === 'shared' && ofNewcomer?.exclusivity === 'shared',
      sharedPersonDays: policy?.policy.sharedPersonDays,
      isLifted: lead.withdrawnAs === 'suppressed' && (await this.#isLifted(lead)),
    };
  }

  /** Whether nothing suppresses the person of a lead any more (DLV-12). */
  async #isLifted(lead: LeadState): Promise<boolean> {
    const states = await Promise.all(keysOf(lead).map((key) => this.#claimOf(key)));
    return states.some(({ wasLifted }) => wasLifted) && states.every(({ suppressedBy }) => suppressedBy.length === 0);
  }

  /** A lead that somebody is about to store is waited for. */
  async #stored(leadId: string, patient: boolean): Promise<LeadState> {
    const end = performance.now() + (patient ? SECONDS_FOR_A_RECEIPT * 1000 : 0);
    for (;;) {
      const lead = await this.#lead(leadId);
      if (lead.status !== 'unknown' || lead.forfeits > 0 || performance.now() >= end) return lead;
      await pause(MILLISECONDS_BETWEEN_LOOKS);
    }
  }

  #lead(leadId: string): Promise<LeadState> {
    return this.#tools.stateOf<'lead'>(leadStream(leadId));
  }

  /** A new command each time: the same one may have been refused before, for a reason that has ended. */
  #sendTo(leadId: string, command: LeadCommand, key: string): Promise<boolean> {
    const commandId = deriveId(command.type, this.#newcomer.leadId, leadId, key);
    return this.#send(leadStream(leadId), command, commandId, false);
  }

  async #send(
    stream: string,
    command: Parameters<RequestTools['addressed']>[1],
    commandId: string,
    likelyNew: boolean,
  ): Promise<boolean> {
    const addressed = await this.#tools.addressed(stream, command, { ...this.#context, commandId }, { likelyNew });
    return (await this.#tools.dispatch(addressed)).kind === 'accepted';
  }
}
