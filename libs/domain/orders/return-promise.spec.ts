import { minute } from '#test/given';
import { defaultPolicy, type PolicyVersion } from '../policy/policy.ts';
import { endOfReturnWindow, returnPromiseOf } from './return-promise.ts';

const version = (number: number, returnWindowDays: number): PolicyVersion => ({
  ...{ version: number, author: 'staff:ada', at: minute(0), effectiveFrom: minute(0) },
  policy: { ...defaultPolicy, returnWindowDays },
});
const [first, second] = [version(1, 5), version(2, 9)];
const end = (returnableUntil: string | undefined, policyVersion: number) =>
  endOfReturnWindow(
    minute(0),
    returnPromiseOf({ returnableUntil, decision: { policyVersion } }),
    { versions: [first, second] },
    second,
  );

describe('RPL-2: the end of the window for returns', () => {
  it('is the one that was recorded with the delivery', () => {
    expect(end(minute(70), 2)).toBe(minute(70));
  });

  it('of an older delivery is that of the policy by which the lead was given', () => {
    expect(end(undefined, 1)).toBe('2026-05-06T10:00:00.000Z');
    expect(end(undefined, 2)).toBe('2026-05-10T10:00:00.000Z');
  });

  it('of an older delivery by a policy that is not known is that of the present policy', () => {
    expect(end(undefined, 7)).toBe('2026-05-10T10:00:00.000Z');
  });
});
