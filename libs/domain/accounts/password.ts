import { hasAtMost, normalText } from '../kernel/text.ts';

/*
 * Passwords are those of RFC 8265 (OpaqueString): the same password typed on another keyboard is another sequence of code points,
 * and must open the same account.
 */

/** Of the only factor (NIST SP 800-63B-4, 3.1.1.1). */
export const LEAST_CHARACTERS = 15;
/** Where another factor is asked for, too. */
export const LEAST_BESIDE_ANOTHER_FACTOR = 8;
/** Of a password that is checked, too: hashing a long one must not cost more. */
const MOST_CHARACTERS = 200;

/** Spaces of other scripts count as the usual one, and letters are composed (RFC 8265, 4.2.2). Case counts (ACC-2). */
const preparedPassword = (password: string): string => normalText(password.replace(/\p{Zs}/gu, ' '));

/** What RFC 8264 takes in no free text: controls, unassigned and private characters, line separators, old Hangul letters. */
const DISALLOWED = /[\p{C}\p{Zl}\p{Zp}\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]|\p{Default_Ignorable_Code_Point}/u;
/** In some scripts, words need them between letters (RFC 5892, A.1 and A.2). */
const JOINERS_IN_WORDS = /(?<=[\p{L}\p{M}])[\u200c\u200d](?=[\p{L}\p{M}])/gu;

/** What is wrong with a new password, as a part of a sentence about its field. Undefined: nothing. */
export function wrongInNewPassword(password: string, least = LEAST_CHARACTERS): string | undefined {
  const prepared = preparedPassword(password);
  if (!hasAtMost(MOST_CHARACTERS, prepared) || hasAtMost(least - 1, prepared))
    return `must have ${least} to ${MOST_CHARACTERS} characters`;
  return DISALLOWED.test(prepared.replace(JOINERS_IN_WORDS, ''))
    ? 'must not contain control characters, invisible characters or halves of characters'
    : undefined;
}

/** Whether a password may be compared with that of an account. Older versions took more than a new password may contain. */
export const canBePassword = (password: string): boolean =>
  password !== '' && password.isWellFormed() && hasAtMost(MOST_CHARACTERS, password);

/**
 * In which forms a password may have been hashed, the present one first. Older versions hashed what was sent; keyboards send
 * letters composed or decomposed. How many there are depends on what is typed, and not on the account.
 */
export const formsOfPassword = (password: string): readonly [string, ...string[]] => {
  const forms = [password, normalText(password), password.normalize('NFD')];
  return [...new Set([preparedPassword(password), ...forms])] as [string, ...string[]];
};
