import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { decode, type Fact } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { type Family, familyOf, ledger } from '#domain/ledger';
import type { EventStore } from '#event-store/port';

/*
 * Facts made from the samples of stored events, for tests that want every event type, with and without its optional
 * fields. All of them are about the same customer, order, lead and so on, so that they meet in the same rows.
 */

const FOLDER = join(import.meta.dirname, 'stored-events');
const AT = '2026-05-01T10:00:00.000Z';

const ids: Readonly<Record<string, unknown>> = {
  customerId: 'c1',
  orderId: 'o1',
  leadId: 'l1',
  replacementLeadId: 'l2',
  replacementId: 'r1',
  replacementFor: 'r1',
  storeId: 's1',
  storeIds: ['s1'],
  leadTypeId: 't1',
  fromLeadTypeId: 't0',
  renewalNumber: 1,
  refundId: 'f1',
  receiptId: 'n1',
  disputeId: 'd1',
  reference: 'p1',
};

const streamIds: Readonly<Record<string, string>> = {
  customer: 'c1',
  contacts: 'c1',
  order: 'o1',
  programme: 'o1',
  lead: 'l1',
  replacement: 'r1',
  receipts: 's1',
};

/** A duplicate is never the lead that is delivered. */
const OF_DUPLICATES = 'l3';

type Data = Readonly<Record<string, unknown>>;

/** The sample of the newest version of each event type, with every optional field filled in. */
export const sampleFacts: readonly Fact[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map(readSample)
  .filter(({ type }, index, all) => all[index + 1]?.type !== type);

function readSample(name: string): Fact {
  const { stream, data, metadata } = JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
  const [type = ''] = name.split('.');
  const [encodedData, encodedMetadata] = [data, metadata].map((part) => new TextEncoder().encode(JSON.stringify(part)));
  const family = familyOf(stream);
  const fact = decode({
    id: '00000000-0000-5000-8000-000000000000',
    stream: `${family}-${type === 'DuplicateReceived' ? OF_DUPLICATES : (streamIds[family] ?? family)}`,
    type,
    revision: 0,
    position: '0000000000000001',
    data: encodedData as Uint8Array,
    metadata: encodedMetadata as Uint8Array,
  });
  return { ...fact, data: filled(schemaOf(fact), fact.data), cause: { ...fact.cause, actor: 'staff:ada' } } as Fact;
}

function schemaOf({ stream, type }: Fact): z.ZodObject {
  const family: Family = ledger[familyOf(stream)];
  return family.events[type] as z.ZodObject;
}

function filled(schema: z.ZodObject, data: Data): Data {
  const fields = Object.entries(schema.shape).map(([name, field]) => [
    name,
    name in ids ? ids[name] : (data[name] ?? anyValueOf(field as z.ZodType)),
  ]);
  return Object.fromEntries(fields);
}

/** A value of a schema, by its kind only: nothing here checks it. */
function anyValueOf(schema: z.ZodType): unknown {
  const { def } = schema as unknown as { def: Record<string, unknown> };
  switch (def.type) {
    case 'object':
      return filled(schema as z.ZodObject, {});
    case 'array':
      return [anyValueOf(def.element as z.ZodType)];
    case 'enum':
      return Object.values(def.entries as object)[0];
    case 'literal':
      return (def.values as unknown[])[0];
    case 'union':
      return anyValueOf((def.options as z.ZodType[])[0] as z.ZodType);
    case 'optional':
    case 'nullable':
    case 'readonly':
      return anyValueOf(def.innerType as z.ZodType);
    case 'number':
      return 2;
    case 'boolean':
      return true;
    default:
      return def.format === 'datetime' ? AT : 'text';
  }
}

/** A fact, and others that differ from it in one field: left out, another choice, or zero. */
export function variantsOf(fact: Fact): readonly Fact[] {
  const fields = Object.entries(schemaOf(fact).shape).filter(([name]) => name !== 'at');
  const changes = fields.flatMap(([name, field]) =>
    otherValuesOf(field as z.ZodType).map((value) => ({ ...fact, data: withValue(fact.data, name, value) }) as Fact),
  );
  return [fact, ...changes];
}

function withValue(data: Data, name: string, value: unknown): Data {
  const { [name]: _, ...others } = data;
  return value === undefined ? others : { ...others, [name]: value };
}

function otherValuesOf(schema: z.ZodType): readonly unknown[] {
  const { def } = schema as unknown as { def: { type: string; entries?: object; innerType?: z.ZodType } };
  if (def.type === 'optional') return [undefined, ...otherValuesOf(def.innerType as z.ZodType)];
  if (def.type === 'enum') return Object.values(def.entries ?? {});
  return def.type === 'number' ? [0] : [];
}

/** The same facts about another customer, order, lead, store and so on: each id ends with the mark. */
export function marked(facts: readonly Fact[], mark: string): readonly Fact[] {
  return facts.map((fact) => {
    const data = JSON.parse(JSON.stringify(fact.data).replaceAll(/"(c1|o1|l1|l2|r1|s1|f1|d1|p1|n1)"/g, `"$1-${mark}"`));
    return { ...fact, stream: `${fact.stream}-${mark}`, data };
  });
}

/** Writes facts as they are: samples need not be what today's schemas say. @returns the last revision of each stream */
export async function append(store: EventStore, facts: readonly Fact[]): Promise<ReadonlyMap<string, number>> {
  const revisions = new Map<string, number>();
  for (const { stream, type, data, cause } of facts) {
    const [encodedData, encodedMetadata] = [data, cause].map((part) => new TextEncoder().encode(JSON.stringify(part)));
    const revision = (revisions.get(stream) ?? -1) + 1;
    const event = { type, data: encodedData as Uint8Array, metadata: encodedMetadata as Uint8Array };
    await store.append(stream, [{ id: deriveId('sample', stream, String(revision)), ...event }], 'any');
    revisions.set(stream, revision);
  }
  return revisions;
}
