import { driveProcess } from '#test/process-driver';
import { erasureCompletion } from './erasure-completion.ts';

const AT = '2026-03-02T15:00:00.000Z';

it('completes each erasure once, and all of them again after the next start, as other commands', () => {
  const commandIds = ['2026-03-02T15:00:00.000Z', '2026-03-03T15:00:00.000Z'].flatMap((now) => {
    const { fold, wishes } = driveProcess(erasureCompletion, AT);
    for (const subject of ['customer-c1', 'lead-l1'])
      fold('erasures-main', 'PersonErased', { subjects: [subject], personKeys: [], ends: [] });
    const taken = wishes(now);
    expect(taken).toMatchObject([
      { effect: { kind: 'complete-erasure', erasure: { subjects: ['customer-c1'] } } },
      { effect: { kind: 'complete-erasure', erasure: { subjects: ['lead-l1'] } } },
    ]);
    expect(wishes(now)).toEqual([]);
    return taken.map(({ commandId }) => commandId);
  });
  expect(new Set(commandIds).size).toBe(4);
});
