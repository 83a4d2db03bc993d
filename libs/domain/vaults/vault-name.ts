import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { personKey } from '../kernel/fields.ts';
import { processOnly, type RightsOf } from '../kernel/rights.ts';

/** Says which keys open the sealed boxes of this log. It is the beginning of a log (ADR 19). */
export const vaultStream = 'vault-main';

export const vaultNameEvents = {
  VaultNamed: fact({
    fingerprint: personKey.describe('Of the vault whose keys seal the personal data of this log.'),
  }),
};
export type VaultNameEvent = EventsOf<typeof vaultNameEvents>;

export type VaultNameCommand = { type: 'NameVault'; at: Instant; fingerprint: string };

export interface VaultNameState {
  fingerprint?: string;
}

/** Who may ask for which command. */
export const vaultNameRights = { NameVault: processOnly } satisfies RightsOf<VaultNameCommand, VaultNameState>;

/** A log has one vault for ever. */
export const vaultName: Decider<VaultNameState, VaultNameCommand, VaultNameEvent> = {
  initialState: () => ({}),

  decide({ at, fingerprint }, state): Decision<VaultNameEvent> {
    if (state.fingerprint === undefined) return [{ type: 'VaultNamed', data: { at, fingerprint } }];
    if (state.fingerprint === fingerprint) return [];
    return refuse('another-vault', `this log belongs to vault ${state.fingerprint}, not to vault ${fingerprint}`);
  },

  evolve(state, event) {
    state.fingerprint = event.data.fingerprint;
    return state;
  },
};
