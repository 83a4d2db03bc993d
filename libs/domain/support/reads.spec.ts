import { given, minute } from '#test/given';
import { type ReadEvent, reads, readsStream } from './reads.ts';

const shown = (...persons: string[]): ReadEvent => ({
  type: 'PersonalDataShown',
  data: { at: minute(1), persons, asked: 'accounts.list' },
});
const ask = (...persons: string[]) => ({ type: 'RecordRead', at: minute(1), persons, asked: 'accounts.list' }) as const;
test('a reader has a stream for each hour', () => {
  expect(readsStream('staff:ada', '2026-03-02T15:59:59.999Z')).toBe('reads-staff.ada.2026-03-02T15');
});

test('whose personal data was shown is recorded once', () => {
  given(reads)
    .when(ask('customer-1', 'lead-1', 'customer-1'))
    .thenRecords(shown('customer-1', 'lead-1'));
  given(reads, shown('customer-1')).when(ask('customer-1', 'customer-2')).thenRecords(shown('customer-2'));
  given(reads, shown('customer-1')).when(ask('customer-1')).thenRecords();
});
