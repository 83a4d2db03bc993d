import type { Decision } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { personKey } from '../kernel/fields.ts';
import { anyone, support } from '../kernel/rights.ts';
import { type Link, link, linkInvalid, linkIsGood, type PendingLink } from './link.ts';

/*
 * ACC-6: an address counts as proved once its owner opened a link that was sent there. Before that nobody signs in with it. The
 * links of a recovery and of a change of address prove it as well.
 */

export const provedAddressEvents = {
  /** The link is sent to the address of the account. */
  AddressConfirmationRequested: fact(link),
  AddressConfirmed: fact({ addressKey: personKey }),
};
type ProvedAddressEvent = EventsOf<typeof provedAddressEvents>;

export type ProveAddressCommand =
  | ({ type: 'RequestAddressConfirmation'; at: Instant } & Link)
  | { type: 'ConfirmAddress'; at: Instant; tokenHash: string };

export const proveAddressRights = {
  // Support sends a mail again whose link has expired.
  RequestAddressConfirmation: support('NTF-4'),
  // The link gives the right: it was sent only to that address.
  ConfirmAddress: anyone,
};

export interface AddressProof {
  readonly addressIsProved?: true | undefined;
  readonly confirmation?: PendingLink | undefined;
  /** The link that proved the present address: opening it again is no error. */
  readonly confirmedBy?: string | undefined;
}

export function proofAfter({ confirmation }: AddressProof, { type, data }: ProvedAddressEvent): AddressProof {
  if (type === 'AddressConfirmed')
    return { addressIsProved: true, confirmation: undefined, confirmedBy: confirmation?.tokenHash };
  const { tokenHash, expiresAt } = data;
  return { confirmation: { tokenHash, expiresAt } };
}

export const confirmationRequested = (at: Instant, { token, tokenHash, expiresAt }: Link): ProvedAddressEvent => ({
  type: 'AddressConfirmationRequested',
  data: { at, token, tokenHash, expiresAt },
});

type Command<Type extends ProveAddressCommand['type']> = Extract<ProveAddressCommand, { type: Type }>;

export const requestConfirmation = (
  command: Command<'RequestAddressConfirmation'>,
  { addressIsProved }: AddressProof,
): Decision<ProvedAddressEvent> => (addressIsProved ? [] : [confirmationRequested(command.at, command)]);

export function confirmAddress(
  { at, tokenHash }: Command<'ConfirmAddress'>,
  { confirmedBy, confirmation, addressKey }: AddressProof & { readonly addressKey?: string | undefined },
): Decision<ProvedAddressEvent> {
  if (tokenHash === confirmedBy) return [];
  if (addressKey === undefined || !linkIsGood(confirmation, tokenHash, at)) return linkInvalid;
  return [{ type: 'AddressConfirmed', data: { at, addressKey } }];
}
