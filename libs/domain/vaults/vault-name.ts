import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { personKey } from '../kernel/fields.ts';
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
};
export type VaultNameEvent = EventsOf<typeof vaultNameEvents>;

export type VaultNameCommand =
  | { type: 'NameVault'; at: Instant; fingerprint: string }
  | { type: 'FinishSealingBusinesses'; at: Instant; customers: number }
  | { type: 'FinishClaimingPersons'; at: Instant; leads: number };

export interface VaultNameState {
  fingerprint?: string;
  businessesAreSealed?: true;
  personsAreClaimed?: true;
}

/** Who may ask for which command. */
export const vaultNameRights = {
  NameVault: processOnly,
  FinishSealingBusinesses: processOnly,
  FinishClaimingPersons: processOnly,
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
    }
    return state;
  },
};

function nameVault(
  { at, fingerprint }: Extract<VaultNameCommand, { type: 'NameVault' }>,
  state: VaultNameState,
): Decision<VaultNameEvent> {
  if (state.fingerprint === undefined) return [{ type: 'VaultNamed', data: { at, fingerprint } }];
  if (state.fingerprint === fingerprint) return [];
  return refuse('another-vault', `this log belongs to vault ${state.fingerprint}, not to vault ${fingerprint}`);
}
