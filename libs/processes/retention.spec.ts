import { defaultPolicy, type PolicyDocument } from '#domain/policy/policy';
import { driveProcess } from '#test/process-driver';
import type { Effect, EffectWish } from './process.ts';
import { retention } from './retention.ts';

const MARCH_2 = '2026-03-02T15:00:00.000Z';

function start() {
  const driven = driveProcess(retention, MARCH_2);
  return {
    ...driven,
    publish: (change: Partial<PolicyDocument>, version = 1) =>
      driven.fold('policy-main', 'PolicyPublished', {
        version,
        author: 'staff:owner',
        effectiveFrom: MARCH_2,
        policy: { ...defaultPolicy, ...change },
      }),
    look: (customerId: string, at: string) =>
      driven.fold(`looks-${customerId}`, 'CustomerHistoryShown', { customerId, at }),
    effectsAt: (now: string): readonly Effect[] => driven.wishes(now).map((wish) => (wish as EffectWish).effect),
  };
}

describe('retention', () => {
  it('removes copies of mails once a day, and wakes at the next', () => {
    const { effectsAt, wakesAt } = start();
    const of90Days = { kind: 'remove-mail-copies', before: '2025-12-02T15:00:00.000Z' };
    expect(effectsAt(MARCH_2)).toEqual([of90Days]);
    expect(effectsAt('2026-03-02T23:59:59.999Z')).toEqual([]);
    expect(wakesAt()).toBe('2026-03-03T00:00:00.000Z');
    expect(effectsAt('2026-03-03T00:00:00.000Z')).toMatchObject([{ before: '2025-12-03T00:00:00.000Z' }]);
  });

  it('follows the policy', () => {
    const { effectsAt, publish } = start();
    publish({ retention: { mailCopiesDays: 1 } });
    expect(effectsAt(MARCH_2)).toMatchObject([{ before: '2026-03-01T15:00:00.000Z' }]);
    publish({ retention: { mailCopiesDays: 2 } }, 2);
    expect(effectsAt('2026-03-04T00:00:00.000Z')).toMatchObject([{ before: '2026-03-02T00:00:00.000Z' }]);
  });

  it('destroys the keys of the reasons of a month when its last look is old enough', () => {
    const { effectsAt, publish, look } = start();
    publish({ retention: { lookReasonsDays: 10 } });
    look('c1', '2026-03-02T15:00:00.000Z');
    look('c1', '2026-03-31T23:59:59.999Z');
    look('c2', '2026-03-05T00:00:00.000Z');
    look('c2', '2026-04-01T00:00:00.000Z');
    const destroyedAt = (now: string) => effectsAt(now).filter(({ kind }) => kind === 'destroy-keys');
    expect(destroyedAt('2026-04-10T23:59:59.999Z')).toEqual([]);
    expect(destroyedAt('2026-04-11T00:00:00.000Z')).toEqual([
      { kind: 'destroy-keys', subjects: ['looks-c1/2026-03', 'looks-c2/2026-03', 'reasons-about-erased/2026-03'] },
    ]);
    expect(destroyedAt('2026-04-12T00:00:00.000Z')).toEqual([]);
    expect(destroyedAt('2026-05-11T00:00:00.000Z')).toEqual([
      { kind: 'destroy-keys', subjects: ['looks-c2/2026-04', 'reasons-about-erased/2026-04'] },
    ]);
  });

  it('destroys the keys of the reasons of erasures and approvals, too', () => {
    const { effectsAt, publish, fold } = start();
    publish({ retention: { lookReasonsDays: 10 } });
    fold('erasures-main', 'PersonErased', { at: '2026-03-02T15:00:00.000Z', subjects: [], personKeys: [], ends: [] });
    const destroyed = effectsAt('2026-04-11T00:00:00.000Z').filter(({ kind }) => kind === 'destroy-keys');
    expect(destroyed).toEqual([{ kind: 'destroy-keys', subjects: ['reasons-about-erased/2026-03'] }]);
  });
});
