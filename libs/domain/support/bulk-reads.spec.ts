import { given, minute } from '#test/given';
import { type BulkReadEvent, bulkReads, noticedSince } from './bulk-reads.ts';

const noticed = (hour: string, at: number): BulkReadEvent => ({
  type: 'ManyPersonsShown',
  data: { at: minute(at), reads: `reads-staff.ada.${hour}`, reader: 'staff:ada', persons: 501, asked: 'accounts.list' },
});
const notice = (hour: string, at: number) => ({ type: 'NoticeManyPersons', ...noticed(hour, at).data }) as const;

test('who was shown many persons is noticed once for each hour', () => {
  given(bulkReads).when(notice('2026-03-02T15', 1)).thenRecords(noticed('2026-03-02T15', 1));
  given(bulkReads, noticed('2026-03-02T15', 1)).when(notice('2026-03-02T15', 2)).thenRecords();
  given(bulkReads, noticed('2026-03-02T15', 1))
    .when(notice('2026-03-02T16', 70))
    .thenRecords(noticed('2026-03-02T16', 70));
});

test('what was noticed long ago is left out', () => {
  const state = given(bulkReads, noticed('2026-03-02T15', 1), noticed('2026-03-02T16', 70)).state();
  expect(noticedSince(state, minute(2)).map(({ at }) => at)).toEqual([minute(70)]);
});
