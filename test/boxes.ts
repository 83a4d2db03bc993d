import type { Sealed } from '#domain/kernel/events';

/** A box for specs that never open it. Equal for equal values. */
export const boxOf = (value: string): Sealed => ({ keyId: 'key', box: Buffer.from(value).toString('base64') });

/** How events name a business. */
export const businessOf = (name: string) => ({ businessAssociation: boxOf(name), businessKey: `key of ${name}` });
