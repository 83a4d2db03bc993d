import { given, minute } from '#test/given';
import { type ErasureEvent, erasures } from './erasures.ts';

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
