import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { decode, metadataFields } from '#domain/codec';
import { fact, sealed, unsealed } from '#domain/kernel/events';
import { type Family, ledger } from '#domain/ledger';
import { generatedSamples, type Sample, sampleData, sampleNames } from './samples.ts';

/** `<EventType>.v<version>.json`: an event as that version of the program wrote it. Samples are added, never changed. */
const samples = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.json'))
  .map((name) => {
    const [type = '', version = ''] = name.split('.');
    const sample = JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as Sample;
    return { name, type, version: Number(version.slice(1)), ...sample };
  });

const encoder = new TextEncoder();

const factOf = ({ stream, type, data, metadata }: (typeof samples)[number]) =>
  decode({
    id: '00000000-0000-5000-8000-000000000000',
    stream,
    type,
    revision: 0,
    position: '0000000000000001',
    data: encoder.encode(JSON.stringify(data)),
    metadata: encoder.encode(JSON.stringify(metadata)),
  });

describe('stored events of every version', () => {
  it.each(samples)('$name can be read and is upcast to the current version', (sample) => {
    const { stream, type } = sample;
    const fact = factOf(sample);
    const family: Family = ledger[stream.slice(0, stream.indexOf('-')) as keyof typeof ledger];
    expect(family.events[type]?.strict().parse(fact.data)).toEqual(fact.data);
    const { schemaVersion: _, ...known } = metadataFields.shape;
    expect(z.strictObject(known).parse(fact.cause)).toEqual(fact.cause);
  });

  it('a reason of older versions, which stored it as it was typed, is read as a box', () => {
    const texts = samples.map(({ metadata }) => ('reason' in metadata ? metadata.reason : undefined));
    const sample = samples[texts.indexOf('asked by telephone')] as (typeof samples)[number];
    expect(factOf(sample).cause.reason).toEqual(unsealed('asked by telephone'));
  });

  it('there is a sample of every version of every event: else run `npm run generate`', () => {
    expect(samples.map(({ name }) => name).sort()).toEqual(sampleNames().sort());
  });

  it('a sample can be generated for every event, and is the same each time', () => {
    expect(generatedSamples()).toEqual(generatedSamples());
    expect(generatedSamples().size).toBe(new Set(sampleNames().map((name) => name.split('.')[0])).size);
  });

  it('a generated sample takes the example of a field where there is one', () => {
    const schema = fact({ quantity: z.int().min(7), currency: z.string().meta({ examples: ['USD'] }), note: sealed });
    expect(sampleData(schema)).toEqual({
      at: '2026-03-01T09:30:00.000Z',
      quantity: 7,
      currency: 'USD',
      note: { keyId: expect.any(String), purpose: 'name', box: 'c2VhbGVk' },
    });
  });
});
