import { createHmac } from 'node:crypto';
import { close, KEY_BYTES, open } from './boxes.ts';

/** A key that wraps other keys. Its id is the key-encryption version in what it wrapped, and reveals nothing of it. */
export interface MasterKey {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

const ID_BYTES = 8;

export const masterKeyFrom = (key: Uint8Array): MasterKey => ({
  id: createHmac('sha256', key).update('leadger master key').digest().subarray(0, ID_BYTES),
  key,
});

/** What is wrapped: the key of a person, or a secret of the vault. The wrapped form opens as nothing else. */
type Wrapped = { readonly keyId: string; readonly subject: string } | { readonly secret: string };

/**
 * Form 2 is this byte, the id of the master key, and a box. Versions before wrote form 1, the box alone, which is bound to
 * the key id only. The two have different lengths.
 */
const FORM_2 = 2;
const BEGIN_BYTES = 1 + ID_BYTES;
/** Of form 1: nonce, key and tag. */
const BOX_BYTES = 12 + KEY_BYTES + 16;
const WRAPPED_BYTES = BEGIN_BYTES + BOX_BYTES;

export function wrap(masterKey: MasterKey, content: Uint8Array, what: Wrapped): Uint8Array {
  const begin = Buffer.concat([Uint8Array.of(FORM_2), masterKey.id]);
  return Buffer.concat([begin, close(masterKey.key, content, boundTo(begin, what))]);
}

/** @returns undefined when it is not what was wrapped, or was wrapped with a master key that is not among these */
export function unwrap(
  masterKeys: readonly MasterKey[],
  wrapped: Uint8Array,
  what: Wrapped,
): { readonly content: Uint8Array; readonly masterKey: MasterKey } | undefined {
  for (const masterKey of masterKeys) {
    const content = isForm1(wrapped)
      ? open(masterKey.key, wrapped, nameOf(what))
      : isWrappedWith(masterKey, wrapped) && openForm2(masterKey, wrapped, what);
    if (content) return { content, masterKey };
  }
  return undefined;
}

function openForm2({ key }: MasterKey, wrapped: Uint8Array, what: Wrapped): Uint8Array | undefined {
  return open(key, wrapped.subarray(BEGIN_BYTES), boundTo(wrapped.subarray(0, BEGIN_BYTES), what));
}

/** Whether it has the present form, under this master key. */
export const isWrappedWith = ({ id }: MasterKey, wrapped: Uint8Array): boolean =>
  wrapped.length === WRAPPED_BYTES && Buffer.compare(wrapped.subarray(1, BEGIN_BYTES), id) === 0;

/** Whether it names a master key that is not among these. */
export const isUnderAnother = (masterKeys: readonly MasterKey[], wrapped: Uint8Array): boolean =>
  wrapped.length === WRAPPED_BYTES && !masterKeys.some((masterKey) => isWrappedWith(masterKey, wrapped));

const isForm1 = (wrapped: Uint8Array): boolean => wrapped.length === BOX_BYTES;

const nameOf = (what: Wrapped): string => ('secret' in what ? what.secret : what.keyId);

const boundTo = (begin: Uint8Array, what: Wrapped): string => {
  const version = Buffer.from(begin).toString('hex');
  return JSON.stringify(
    'secret' in what ? ['secret', version, what.secret] : ['key', version, what.keyId, what.subject],
  );
};
