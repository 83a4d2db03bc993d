import { z } from 'zod';
import { sealed } from './kernel/events.ts';
import { code, fieldsOf, id, keyedHash, sealedFor } from './kernel/fields.ts';
import { fieldsKeptAs } from './stored-fields.ts';

describe('the fields of stored events', () => {
  it('each says what it is: else use a kind of libs/domain/kernel/fields.ts', () => {
    expect(fieldsKeptAs('unnamed')).toEqual([]);
  });
});

describe('how a field is kept', () => {
  const keepingOf = (schema: z.ZodType) => fieldsOf(z.object({ field: schema })).map(({ keeping }) => keeping);

  it.each([
    ['a text', z.string()],
    ['a text with limits', z.string().min(1).max(10).describe('a note')],
    ['a text that is not required', z.string().optional()],
    ['a list of texts', z.array(z.string())],
    ['an e-mail address', z.email()],
    ['anything', z.unknown()],
    ['an object with any other members', z.looseObject({})],
    ['a text made by a transformation', z.string().transform((text) => text)],
    ['a text inside a union', z.union([z.strictObject({ note: z.string() }), z.strictObject({})])],
    ['a pattern', z.templateLiteral(['a', z.string()])],
  ])('%s is of no kind', (_, schema) => {
    expect(keepingOf(schema)).toEqual(['unnamed']);
  });

  it.each([
    ['plain', id.min(1).describe('The order.')],
    ['plain', z.array(code.max(5)).optional()],
    ['plain', z.iso.date()],
    ['keyed hash', keyedHash.length(22).optional()],
    ['sealed', sealedFor('customer', 'name').optional()],
  ])('%s: limits, descriptions and lists do not change it', (keeping, schema) => {
    expect(keepingOf(schema)).toEqual([keeping]);
  });

  it('a box without an owner is of no kind', () => {
    expect(keepingOf(sealed)).toEqual(['unnamed', 'plain', 'unnamed']);
  });

  it('the names of a record are a text too', () => {
    const fields = fieldsOf(
      z.object({ facts: z.record(z.string(), z.union([z.number(), sealedFor('lead', 'contact')])) }),
    );
    expect(fields).toEqual([
      { path: 'facts (names)', keeping: 'unnamed', what: 'a string that is of no kind' },
      { path: 'facts.*', keeping: 'plain', what: 'number' },
      {
        path: 'facts.*',
        keeping: 'sealed',
        what: 'key of the lead, as contact',
        sealing: { owner: 'lead', purpose: 'contact' },
      },
    ]);
  });
});
