import { customerStream } from '#domain/accounts/customer';
import { type Fact, type FactOf, metadataFields } from '#domain/codec';
import { isUnsealed, type Sealed } from '#domain/kernel/events';
import { fieldsOf, type Sealing } from '#domain/kernel/fields';
import { leadStream } from '#domain/leads/lead';
import { type Family, familyOf, ledger } from '#domain/ledger';
import { memberKey } from '#domain/staff/staff';
import { lookKey, monthOf } from '#domain/support/look';
import { CannotOpenBox, PersonErased, type Vault } from '#vault/vault';
import { changeBoxes } from './boxes-in.ts';
import type { NewestForm } from './newest-forms.ts';

type Sealings = ReadonlyMap<string, Sealing>;

const sealingsOf = (schema: Parameters<typeof fieldsOf>[0]): Sealings =>
  new Map(fieldsOf(schema).flatMap(({ path, sealing }) => (sealing ? [[path, sealing]] : [])));

const ofMetadata = sealingsOf(metadataFields);

const ofTypes: ReadonlyMap<string, Sealings> = new Map(
  Object.values(ledger as Record<string, Family>).flatMap(({ events }) =>
    Object.entries(events).map(([type, schema]) => [type, sealingsOf(schema)] as const),
  ),
);

/** How a field of the data of an event is sealed. @param path as `changeBoxes` names it */
export const sealingIn = (type: string, path: string): Sealing | undefined => ofTypes.get(type)?.get(path);

export interface Counts {
  /** Texts that were plain. */
  sealed: number;
  /** Boxes that were not bound to their person and purpose. */
  bound: number;
  /** Texts and boxes of erased persons. */
  erased: number;
  /** Boxes that cannot be opened: their key is missing, or they are damaged. They are left as they are. */
  unreadable: number;
}

/**
 * Seals what older versions stored plain, and binds boxes of older versions to their person and purpose. Of an erased
 * person, an empty box of the destroyed key is left.
 */
export class PresentSeals {
  readonly counts: Counts = { sealed: 0, bound: 0, erased: 0, unreadable: 0 };
  readonly #vault: Pick<Vault, 'open' | 'seal'>;
  /** The events of a command share the box of its reason. */
  #reason: { readonly of: string; readonly before: string; readonly box: Sealed } | undefined;

  constructor(vault: Pick<Vault, 'open' | 'seal'>) {
    this.#vault = vault;
  }

  async on({ fact, customerId }: NewestForm): Promise<Fact> {
    const data = await changeBoxes(fact.data, (box, path) =>
      this.#seal(box, sealingIn(fact.type, path), (owner) => subjectOf(fact, owner, customerId)),
    );
    const { reason } = fact.cause;
    const cause = reason ? { ...fact.cause, reason: await this.#sealReason(fact, reason, customerId) } : fact.cause;
    return { ...fact, data, cause } as Fact;
  }

  async #sealReason(fact: Fact, reason: Sealed, customerId: string | undefined): Promise<Sealed> {
    const subject = subjectOf(fact, 'subject', customerId);
    const of = `${fact.cause.commandId} ${subject}`;
    if (this.#reason?.of === of && this.#reason.before === reason.box) return this.#reason.box;
    const box = await (fact.type === 'CustomerHistoryShown'
      ? this.#sealLook(fact, reason, subject)
      : this.#seal(reason, ofMetadata.get('reason'), () => subject));
    this.#reason = { of, before: reason.box, box };
    return box;
  }

  /** Retention ends reasons of looks by their month. Older versions sealed them with the key of the customer (ADR 28). */
  async #sealLook({ data }: FactOf<'CustomerHistoryShown'>, reason: Sealed, customer: string): Promise<Sealed> {
    const keyId = await this.#presentKeyOf(customer);
    const subject = keyId === undefined ? customer : lookKey(data.customerId, monthOf(data.at));
    return this.#seal(reason, ofMetadata.get('reason'), () => subject, reason.keyId === keyId);
  }

  /** @returns its id; undefined when it was destroyed */
  async #presentKeyOf(subject: string): Promise<string | undefined> {
    try {
      return (await this.#vault.seal(subject, 'reason', '')).keyId;
    } catch (error) {
      if (error instanceof PersonErased) return undefined;
      throw error;
    }
  }

  /** @param again although it is bound already: it is under a key that is not the present one for it */
  async #seal(
    box: Sealed,
    sealing: Sealing | undefined,
    subject: (owner: Sealing['owner']) => string,
    again = false,
  ): Promise<Sealed> {
    if (!again && !isUnsealed(box) && box.purpose !== undefined) return box;
    if (!sealing) throw new RangeError('a box is in a field that is not sealed');
    const { owner, purpose } = sealing;
    try {
      const value = await this.#vault.open(box);
      if (value === undefined) return this.#emptyBox({ ...box, purpose });
      const sealed = await this.#vault.seal(subject(owner), purpose, value);
      this.counts[isUnsealed(box) ? 'sealed' : 'bound'] += 1;
      return { ...box, ...sealed };
    } catch (error) {
      if (error instanceof PersonErased) return this.#emptyBox({ ...box, keyId: error.keyId, purpose });
      if (!(error instanceof CannotOpenBox)) throw error;
      this.counts.unreadable += 1;
      return box;
    }
  }

  #emptyBox(box: Sealed): Sealed {
    this.counts.erased += 1;
    return { ...box, box: '' };
  }
}

/** Whose key seals a field of a fact. */
export function subjectOf({ stream, data }: Fact, owner: Sealing['owner'], customerId: string | undefined): string {
  const family = familyOf(stream);
  const { leadId, memberId } = data as { leadId?: string; memberId?: string };
  if (family === 'lead') return stream;
  if (owner === 'lead' && leadId !== undefined) return leadStream(leadId);
  if ((owner === 'member' || owner === 'holder') && memberId !== undefined) return memberKey(memberId);
  if (customerId !== undefined) return customerStream(customerId);
  if (owner === 'subject') return stream;
  throw new RangeError(`${stream} does not say which customer it is about`);
}
