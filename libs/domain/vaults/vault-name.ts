import { z } from 'zod';
import type { EndingsList } from '../accounts/endings-list.ts';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id, personKey, storeText } from '../kernel/fields.ts';
import { processOnly, type RightsOf } from '../kernel/rights.ts';

/** Says which keys open the sealed boxes of this log. It is the beginning of a log (ADR 19). */
export const vaultStream = 'vault-main';

export const vaultNameEvents = {
  VaultNamed: fact({
    fingerprint: personKey.describe('Of the vault whose keys seal the personal data of this log.'),
  }),
  /** No name of a business before it is plain without a key beside it (ADR 24). A new log begins with it, too. */
  AllBusinessAssociationsSealed: fact({ customers: count.describe('Whose names an older version had stored plain.') }),
  /** Every lead before it has claimed its person, or was withdrawn because another one has it (ADR 42). A new log begins with it, too. */
  AllPersonsClaimed: fact({ leads: count.describe('Leads of an older version that have their person.') }),
  /** Every name of a business before it has a key of the present form, where it can be opened (ADR 45). */
  AllBusinessKeysRenewed: fact({
    customers: count.describe('Who got new keys.'),
    legalEndings: z.array(storeText).describe('That are no difference between names, from here on.'),
    legalEndingsId: id
      .optional()
      .describe('Of this list, as keys name it. Absent: an older version made the keys, alike for all lists.'),
  }),
};
export type VaultNameEvent = EventsOf<typeof vaultNameEvents>;

export type VaultNameCommand =
  | { type: 'NameVault'; at: Instant; fingerprint: string }
  | { type: 'FinishSealingBusinesses'; at: Instant; customers: number }
  | { type: 'FinishClaimingPersons'; at: Instant; leads: number }
  | {
      type: 'FinishRenewingBusinessKeys';
      at: Instant;
      customers: number;
      legalEndings: string[];
      legalEndingsId: string;
    };

export interface VaultNameState {
  fingerprint?: string;
  businessesAreSealed?: true;
  personsAreClaimed?: true;
  /** The lists of legal endings that keys of businesses were made with, the newest last. */
  legalEndings?: readonly EndingsList[];
}

/** Who may ask for which command. */
export const vaultNameRights = {
  NameVault: processOnly,
  FinishSealingBusinesses: processOnly,
  FinishClaimingPersons: processOnly,
  FinishRenewingBusinessKeys: processOnly,
} satisfies RightsOf<VaultNameCommand, VaultNameState>;

/** A log has one vault for ever. */
export const vaultName: Decider<VaultNameState, VaultNameCommand, VaultNameEvent> = {
  initialState: () => ({}),

  decide(command, state): Decision<VaultNameEvent> {
    const { at } = command;
    switch (command.type) {
      case 'NameVault':
        return nameVault(command, state);
      case 'FinishSealingBusinesses':
        if (state.businessesAreSealed) return [];
        return [{ type: 'AllBusinessAssociationsSealed', data: { at, customers: command.customers } }];
      case 'FinishClaimingPersons':
        return state.personsAreClaimed ? [] : [{ type: 'AllPersonsClaimed', data: { at, leads: command.leads } }];
      case 'FinishRenewingBusinessKeys':
        return finishRenewing(command, state);
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'VaultNamed':
        state.fingerprint = event.data.fingerprint;
        break;
      case 'AllBusinessAssociationsSealed':
        state.businessesAreSealed = true;
        break;
      case 'AllPersonsClaimed':
        state.personsAreClaimed = true;
        break;
      case 'AllBusinessKeysRenewed':
        state.legalEndings = [...(state.legalEndings ?? []), endingsListOf(event.data)];
        break;
    }
    return state;
  },
};

const endingsListOf = ({ legalEndings: endings, legalEndingsId: id }: RenewedData): EndingsList => ({ id, endings });
type RenewedData = Extract<VaultNameEvent, { type: 'AllBusinessKeysRenewed' }>['data'];

/** Whether the keys of names were made with this list of endings, and are told apart from those of other lists. */
export function isRenewedWith(legalEndings: readonly string[], state: VaultNameState): boolean {
  const newest = state.legalEndings?.at(-1);
  return newest?.id !== undefined && JSON.stringify(newest.endings) === JSON.stringify(legalEndings);
}

function finishRenewing(
  { type: _, ...data }: Extract<VaultNameCommand, { type: 'FinishRenewingBusinessKeys' }>,
  state: VaultNameState,
): Decision<VaultNameEvent> {
  if (isRenewedWith(data.legalEndings, state)) return [];
  return [{ type: 'AllBusinessKeysRenewed', data }];
}

function nameVault(
  { at, fingerprint }: Extract<VaultNameCommand, { type: 'NameVault' }>,
  state: VaultNameState,
): Decision<VaultNameEvent> {
  if (state.fingerprint === undefined) return [{ type: 'VaultNamed', data: { at, fingerprint } }];
  if (state.fingerprint === fingerprint) return [];
  return refuse('another-vault', `this log belongs to vault ${state.fingerprint}, not to vault ${fingerprint}`);
}
