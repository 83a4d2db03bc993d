import { given, minute } from '#test/given';
import { type ErasureEvent, erasures, partsOf } from './erasures.ts';

const key = (letter: string) => letter.repeat(22);

const erase = (change: Partial<ErasureEvent['data']> = {}) =>
  ({
    type: 'ErasePerson',
    at: minute(1),
    subjects: ['lead-l1'],
    personKeys: [key('t')],
    ends: ['lead-l1'],
    ...change,
  }) as const;

const erased = (change: Partial<ErasureEvent['data']> = {}): ErasureEvent => ({
  type: 'PersonErased',
  data: { at: minute(1), subjects: ['lead-l1'], personKeys: [key('t')], ends: ['lead-l1'], ...change },
});

describe('erasures', () => {
  it('are recorded once', () => {
    given(erasures).when(erase()).thenRecords(erased());
    given(erasures, erased())
      .when(erase({ at: minute(2) }))
      .thenNothing();
  });

  it('record what was found later, and nothing twice', () => {
    given(erasures, erased())
      .when(erase({ subjects: ['lead-l1', 'lead-l2', 'lead-l2'], ends: ['lead-l2'] }))
      .thenRecords(erased({ subjects: ['lead-l2'], personKeys: [], ends: ['lead-l2'] }));
  });
});

describe('the parts of an erasure', () => {
  const erasure = {
    subjects: ['customer-c1', 'lead-l1', 'lead-l2', 'lead-l3'],
    personKeys: ['k1', 'k2'],
    ends: ['lead-l1', 'lead-l2', 'lead-l3', 'order-o1', 'address-a1'],
  };

  it('are one where it is small, also of nothing', () => {
    const [part, ...more] = partsOf(erasure);
    expect(more).toEqual([]);
    expect([...(part?.subjects ?? []), ...(part?.ends ?? [])].sort()).toEqual(
      [...erasure.subjects, ...erasure.ends].sort(),
    );
    expect(partsOf({ subjects: [], personKeys: [], ends: [] })).toHaveLength(1);
  });

  it('begin with what finds the rest, are small enough, and keep a lead with its end', () => {
    expect(partsOf(erasure, 40)).toEqual([
      { subjects: ['customer-c1'], personKeys: ['k1', 'k2'], ends: ['address-a1'] },
      { subjects: ['lead-l1', 'lead-l2'], personKeys: [], ends: ['lead-l1', 'lead-l2'] },
      { subjects: ['lead-l3'], personKeys: [], ends: ['lead-l3', 'order-o1'] },
    ]);
    expect(partsOf(erasure, 1)).toHaveLength(8);
  });
});
