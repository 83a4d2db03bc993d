import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id } from '../kernel/fields.ts';
import { processOnly, type RightsOf } from '../kernel/rights.ts';

/** Which tickets a writer opened by mail: a machine that writes again and again opens only so many a day (SUP-3). */
export const lettersStream = (customerId: string) => `letters-${customerId}` as const;

export const lettersEvents = {
  /** It comes before the ticket: after a crash between the two, the same mail is admitted again. */
  LetterAdmitted: fact({ customerId: id, ticketId: id.describe('The ticket that the mail opens.') }),
};
export type LettersEvent = EventsOf<typeof lettersEvents>;

export type LettersCommand = {
  type: 'AdmitLetter';
  at: Instant;
  customerId: string;
  ticketId: string;
  mostADay: number;
};

/** Who may ask for which command. */
export const lettersRights = { AdmitLetter: processOnly } satisfies RightsOf<LettersCommand, LettersState>;

interface LettersState {
  /** The last day (UTC) with a ticket, and its tickets. */
  readonly day: string;
  readonly ticketIds: readonly string[];
}

const dayOf = (at: Instant): string => at.slice(0, 'YYYY-MM-DD'.length);

export const letters: Decider<LettersState, LettersCommand, LettersEvent> = {
  initialState: () => ({ day: '', ticketIds: [] }),

  decide({ at, customerId, ticketId, mostADay }, { day, ticketIds }): Decision<LettersEvent> {
    const today = day === dayOf(at) ? ticketIds : [];
    if (today.includes(ticketId)) return [];
    return today.length < mostADay ? [{ type: 'LetterAdmitted', data: { at, customerId, ticketId } }] : tooMany;
  },

  evolve({ day, ticketIds }, { data: { at, ticketId } }) {
    return { day: dayOf(at), ticketIds: day === dayOf(at) ? [...ticketIds, ticketId] : [ticketId] };
  },
};

export const tooMany = refuse('too-many-tickets', 'so many tickets were opened by mail today already', 'SUP-3');
