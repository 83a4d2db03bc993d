import { refuse } from '../kernel/decider.ts';
import { unsealed } from '../kernel/events.ts';

/*
 * The business that a customer works for (ACC-5). Its name may be the name of a person, so it is sealed. DLV-3 compares
 * keyed hashes of its normal form. Older versions stored the name and the normal form as they are.
 */

/**
 * A business's name without regard to case, spacing and punctuation. "A.B.C. Vitamins" and "abc vitamins" are one
 * business. Capitals first, since "ß" is written "SS" in them; back letter by letter, since small letters may depend on
 * their neighbours.
 */
export const normaliseBusiness = (businessAssociation: string): string =>
  [...businessAssociation.normalize('NFKC').toUpperCase()]
    .map((letter) => letter.toLowerCase())
    .join('')
    .replace(/[^\p{Letter}\p{Number}]/gu, '');

/** @returns why a business cannot have this name */
export const refuseBusiness = (businessAssociation: string) =>
  normaliseBusiness(businessAssociation) === ''
    ? refuse('business-association-empty', 'a business association has at least one letter or digit', 'ACC-5')
    : undefined;

type Data = Record<string, unknown>;

/** For events with the name of a business, from the version that stored it plain. */
export const withBusinessKey = ({ businessAssociation, ...data }: Data): Data => ({
  ...data,
  businessAssociation: unsealed(businessAssociation),
  businessKey: normaliseBusiness(String(businessAssociation)),
});

/** For events whose key was the normal form itself. It has the same place, so the program reads both alike. */
export const withFormerKey = (data: Data): Data => data;

export const customerUpcasters = {
  CustomerRegistered: [withBusinessKey],
  BusinessAssociationChanged: [withBusinessKey],
};

export const addressUpcasters = { AddressClaimed: [withBusinessOfRegistration] };

function withBusinessOfRegistration({ purpose, ...data }: Data): Data {
  const { registration, ...others } = purpose as Data;
  return {
    ...data,
    purpose: registration ? { ...others, registration: withBusinessKey(registration as Data) } : purpose,
  };
}
