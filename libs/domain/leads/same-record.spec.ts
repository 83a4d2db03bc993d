import fc from 'fast-check';
import { addSeconds } from '../kernel/instants.ts';
import { idOfRecord, isSameRecord, neighbouringIds, type ReceivedRecord } from './same-record.ts';

const record: ReceivedRecord = {
  at: '2026-03-01T09:30:00.000Z',
  leadTypeId: 'exclusive-fresh',
  source: 'form',
  telephoneKey: 't',
  emailKey: 'e',
};
const captured = { ...record, capturedAt: '2026-03-01T09:00:00.000Z' };

describe('DLV-11: a record is known', () => {
  it('when all that names it is the same, and its capture instant, whenever it comes', () => {
    expect(isSameRecord(captured, { ...captured, at: '2027-01-01T00:00:00.000Z' })).toBe(true);
    for (const other of [
      { leadTypeId: 'exclusive-aged' },
      { source: 'fair' },
      { telephoneKey: 'other' },
      { telephoneKey: undefined },
      { emailKey: 'other' },
      { emailKey: undefined },
      { capturedAt: '2026-03-01T09:00:00.001Z' },
      { capturedAt: undefined },
    ])
      expect(isSameRecord(captured, { ...captured, ...other })).toBe(false);
  });

  it('without a capture instant within an hour, whichever came first', () => {
    for (const [seconds, known] of [
      [0, true],
      [3600, true],
      [3601, false],
    ] as const) {
      const other = { ...record, at: addSeconds(record.at, seconds) };
      expect([isSameRecord(record, other), isSameRecord(other, record)]).toEqual([known, known]);
    }
  });

  it('under its own id or under a neighbouring one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000_000 }), fc.integer({ min: -7200, max: 7200 }), (start, apart) => {
        const one = { ...record, at: addSeconds(record.at, start) };
        const other = { ...record, at: addSeconds(one.at, apart) };
        const isFound = [idOfRecord(one), ...neighbouringIds(one)].includes(idOfRecord(other));
        expect(isFound || !isSameRecord(one, other)).toBe(true);
      }),
    );
    expect([idOfRecord(captured), neighbouringIds(captured)]).toEqual([
      idOfRecord({ ...captured, at: '2027-01-01T00:00:00.000Z' }),
      [],
    ]);
  });
});
