import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { defineProcess, type EffectWish, takeFrom } from './process.ts';

const statements = ['CustomerRegistered', 'BusinessAssociationChanged', 'BusinessKeysRenewed'] as const;
type Statement = FactOf<(typeof statements)[number]>;
type Cause = Statement | FactOf<'AllBusinessKeysRenewed'>;

interface Keys {
  /** The list of legal endings in use. Undefined: an older version made the keys. */
  present: string | undefined;
  readonly former: Set<string>;
  /** Customer → the list that its keys were made with. */
  readonly lists: Map<string, string>;
  /** Customer → what says that its keys are of a former list. */
  readonly toRenew: Map<string, Cause>;
}

/**
 * A name that was stated while another program made the keys anew for a changed list of legal endings may have a key of the former
 * list: nothing keeps two streams in step. It gets one of the present list, so that DLV-3 compares it with all others.
 */
export const businessKeys = defineProcess({
  name: 'business-keys',
  eventTypes: [...statements, 'AllBusinessKeysRenewed', 'PersonErased'],
  initialState: (): Keys => ({ present: undefined, former: new Set(), lists: new Map(), toRenew: new Map() }),

  evolve(keys, fact) {
    switch (fact.type) {
      case 'AllBusinessKeysRenewed':
        useList(keys, fact);
        break;
      case 'PersonErased':
        for (const subject of fact.data.subjects) forget(keys, idOf(subject));
        break;
      default:
        noteList(keys, fact);
    }
  },

  next: ({ toRenew }, _moment, limit) => takeFrom(toRenew, limit).map(renewalOf),
});

function useList(keys: Keys, fact: FactOf<'AllBusinessKeysRenewed'>): void {
  const { legalEndingsId } = fact.data;
  if (keys.present !== undefined) keys.former.add(keys.present);
  keys.present = legalEndingsId;
  if (legalEndingsId === undefined) return;
  for (const [customerId, list] of keys.lists) if (list !== legalEndingsId) keys.toRenew.set(customerId, fact);
}

/** A list that is not known yet is that of a renewal that is under way. */
function noteList({ present, former, lists, toRenew }: Keys, fact: Statement): void {
  const customerId = idOf(fact.stream);
  const { legalEndingsId = '' } = fact.data;
  lists.set(customerId, legalEndingsId);
  if (present !== undefined && (legalEndingsId === '' || former.has(legalEndingsId))) toRenew.set(customerId, fact);
  else toRenew.delete(customerId);
}

function forget({ lists, toRenew }: Keys, customerId: string): void {
  lists.delete(customerId);
  toRenew.delete(customerId);
}

const renewalOf = ([customerId, because]: [string, Cause]): EffectWish => ({
  commandId: deriveId('renew-business-keys', customerId, because.eventId),
  stream: customerStream(customerId),
  effect: { kind: 'renew-business-keys', customerId },
  because,
});
