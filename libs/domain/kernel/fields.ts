import { z } from 'zod';
import { type Purpose, sealed, secret } from './events.ts';
import { hasAtMost } from './text.ts';

/** How a field of a stored event keeps its value. `unnamed`: a text that is of no kind of this file. A test refuses it. */
export type Keeping = 'plain' | 'sealed' | 'keyed hash' | 'unnamed';

interface Kind {
  readonly keeping: Keeping;
  /** What it is, and why it may be kept in this way. */
  readonly what: string;
  /** Of a sealed field: whose key seals it, and as what. */
  readonly sealing?: Sealing;
}

export interface Sealing {
  readonly owner: Owner;
  readonly purpose: Purpose;
}

/** A field, by its path: `charge.token`; `[]` stands for each member of a list, `.*` for each value of a record. */
export interface Field extends Kind {
  readonly path: string;
}

const kinds = z.registry<Kind>();

const text = (keeping: Keeping, what: string) => z.string().register(kinds, { keeping, what });

/**
 * The plain texts of stored events, and why they may be plain. Events are stored for ever, so a schema says of each text
 * what it is; plain are only those that are not about a person.
 */
export const plainTexts = {
  id: 'Names a record. It is made by this program, by the payment provider, or chosen by whoever sends the record.',
  code: 'A short word of this program: why a lead was released, or for what a worker acts.',
  currency: 'A currency (ISO 4217).',
  'time zone': 'A time zone (IANA), checked when it is chosen.',
  position: 'A place in one log.',
  'hash of a token': 'The hash of at least 24 random bytes. Nobody finds the token by guessing.',
  'text of the store':
    'What the staff of the store publish to customers: names, addresses and descriptors of stores, names of lead types and cadences, reasons for returns, codes of coupons, subjects of mails; and what it calls the lists, campaigns and pages that its leads come from. It is not about a person.',
} as const;

const plainText = (what: keyof typeof plainTexts) => text('plain', what);

export const id = plainText('id');
export const code = plainText('code');
export const currency = plainText('currency');
export const timeZone = plainText('time zone');
export const position = plainText('position');
export const randomTokenHash = plainText('hash of a token');
export const storeText = plainText('text of the store');
/** With a length, in characters. What else a text must be, its door says: events take what older versions stored. */
export const shortStoreText = (most: number) =>
  storeText
    .min(1)
    .refine((text) => hasAtMost(most, text), `Too long: expected at most ${most} characters`)
    .meta({ maxLength: most });

/** Made with the vault's key: equal for equal values, and nobody without the key finds the value by guessing. */
export const keyedHash = text('keyed hash', 'keyed hash');
/** A keyed hash of a normalised telephone number or e-mail address. */
export const personKey = keyedHash.regex(/^[A-Za-z0-9_-]{22}$/);

/**
 * `subject`: whom the stream is about (`subjectOf` in the requests); a thing of the store has a key of its own. `member`: the
 * member of staff whom the event names; `holder`: the member or the customer whom it names.
 */
type Owner = 'customer' | 'lead' | 'member' | 'holder' | 'subject';

/** A box that the key of this person opens. When the person is erased, it is lost. */
export const sealedFor = (owner: Owner, purpose: Purpose) =>
  z
    .object({ ...sealed.shape, purpose: z.literal(purpose).optional() })
    .register(kinds, { keeping: 'sealed', what: `key of the ${owner}, as ${purpose}`, sealing: { owner, purpose } });

/** A program checks the calls that it gets with its secret, so its owner must see it. */
const whoSees = (purpose: Purpose): string =>
  purpose === 'webhook-secret' ? 'shown to its owner only' : 'shown to nobody';

/** The same, for what no history shows: a password verifier, or a token to be sent. */
export const secretFor = (owner: Owner, purpose: Purpose) =>
  z.object({ ...secret.shape, purpose: z.literal(purpose).optional() }).register(kinds, {
    keeping: 'sealed',
    what: `key of the ${owner}, as ${purpose}; ${whoSees(purpose)}`,
    sealing: { owner, purpose },
  });

/** Every field of a schema, and how it is kept. What this function does not know is `unnamed`. */
export const fieldsOf = (schema: z.ZodType, path = ''): readonly Field[] => {
  const kind = kinds.get(schema) ?? kindOf(schema);
  return kind ? [{ path, ...kind }] : unique(membersOf(schema, path));
};

interface Definition {
  readonly type: string;
  readonly format?: string;
  readonly innerType: z.ZodType;
  readonly element: z.ZodType;
  readonly options: readonly z.ZodType[];
  readonly shape: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly keyType: z.ZodType;
  readonly valueType: z.ZodType;
}

const definitionOf = (schema: z.ZodType) => schema.def as unknown as Definition;

function membersOf(schema: z.ZodType, path: string): readonly Field[] {
  const { type, innerType, element, options, shape, catchall, keyType, valueType } = definitionOf(schema);
  switch (type) {
    case 'object': {
      const below = path && `${path}.`;
      const named = Object.entries(shape).flatMap(([name, member]) => fieldsOf(member, `${below}${name}`));
      return catchall ? [...named, ...fieldsOf(catchall, `${below}*`)] : named;
    }
    case 'record':
      return [...fieldsOf(keyType, `${path} (names)`), ...fieldsOf(valueType, `${path}.*`)];
    case 'array':
      return fieldsOf(element, `${path}[]`);
    case 'union':
      return options.flatMap((option) => fieldsOf(option, path));
    case 'optional':
    case 'nullable':
      return fieldsOf(innerType, path);
    // No value fits it: a strict object has no other members.
    case 'never':
      return [];
    default:
      return [{ path, keeping: 'unnamed', what: `a ${type} that is of no kind` }];
  }
}

const plain = (what: string): Kind => ({ keeping: 'plain', what });

/** Values that are no text that somebody could have typed. */
function kindOf(schema: z.ZodType): Kind | undefined {
  const { type, format } = definitionOf(schema);
  if (type === 'number') return plain('number');
  if (type === 'boolean') return plain('yes or no');
  if (type === 'enum' || type === 'literal') return plain('one of a fixed list');
  if (type !== 'string') return undefined;
  if (format === 'datetime') return plain('instant');
  return format === 'date' ? plain('day') : undefined;
}

/** Several alternatives of a union may keep a field in the same way. */
function unique(fields: readonly Field[]): readonly Field[] {
  return [...new Map(fields.map((field) => [`${field.path} ${field.keeping} ${field.what}`, field])).values()];
}
