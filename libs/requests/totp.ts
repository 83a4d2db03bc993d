import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { Instant } from '#domain/kernel/events';

/** What authenticator apps understand (RFC 6238). */
const DIGITS = 6;
const CODE = /^[0-9]{6}$/;
const STEP_SECONDS = 30;
const SECRET_BYTES = 20;
/** Clocks differ, and people type slowly: one step before and after counts, too. */
const STEPS_OF_SKEW = 1;

export const newTotpSecret = (): string => new Secret({ size: SECRET_BYTES }).base32;

const totpOf = (secret: string, label: { issuer?: string; label?: string } = {}) =>
  new TOTP({ ...label, secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: DIGITS, period: STEP_SECONDS });

/** What an authenticator app reads, mostly as a picture. */
export const totpAddress = (secret: string, label: { issuer: string; label: string }): string =>
  totpOf(secret, label).toString();

export const totpCode = (secret: string, at: Instant): string => totpOf(secret).generate({ timestamp: Date.parse(at) });

/** @returns the step that the code is of; undefined for a wrong one */
export function stepOfCode(secret: string, code: string, now: Instant): number | undefined {
  // The package throws for what is as long, and no code.
  if (!CODE.test(code)) return undefined;
  const timestamp = Date.parse(now);
  const delta = totpOf(secret).validate({ token: code, timestamp, window: STEPS_OF_SKEW });
  return delta === null ? undefined : Math.floor(timestamp / 1000 / STEP_SECONDS) + delta;
}

/** 120 bits, so that a plain hash would hide them, too. Without letters and digits that look alike. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const GROUP = 4;
const GROUPS = 6;

export const newRecoveryCode = (): string =>
  Array.from({ length: GROUPS }, () =>
    [...randomBytes(GROUP)].map((byte) => ALPHABET[byte % ALPHABET.length]).join(''),
  ).join('-');

/** As people type it, also with the digits of a keyboard of East Asia. */
export const normalCode = (typed: string): string => typed.normalize('NFKC').replace(/[\s-]/g, '').toLowerCase();
