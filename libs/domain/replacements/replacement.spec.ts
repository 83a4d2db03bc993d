import { given, minute } from '#test/given';
import { defaultPolicy } from '../policy/policy.ts';
import { type ReplacementCommand, type ReplacementEvent, replacement, replacementIdOf } from './replacement.ts';
import { explainDenial } from './request.ts';

const about = { orderId: 'o1', leadId: 'l1' };
const receipt = { deliveredAt: minute(0), returnableUntil: '2026-05-06T10:00:00.000Z' };
const subject = { ...about, leadTypeId: 'shared-fresh', customerId: 'c1', storeId: 'main', ...receipt };
const returnPolicy = { policyVersion: 1, ...defaultPolicy };
const boxOf = (text: string) => ({ keyId: 'k1', box: btoa(text) });

const request = (reason: string, at = minute(10), explanation?: string): ReplacementCommand => ({
  type: 'RequestReplacement',
  at,
  ...subject,
  reason,
  returnPolicy,
  ...(explanation && { explanation: boxOf(explanation) }),
});
const labels = defaultPolicy.returnReasonLabels ?? {};
const requested = (
  reason: string,
  at = minute(10),
  verifyBy = '2026-05-08T10:10:00.000Z',
  beyondRules?: 'too-late' | 'reason-not-valid',
): ReplacementEvent => ({
  type: 'ReplacementRequested',
  data: {
    ...{ at, ...subject, reason, reasonLabel: labels[reason], verifyBy, policyVersion: 1 },
    ...(beyondRules && { beyondRules }),
  },
});
const wrongNumber = { reason: 'wrong-number', reasonLabel: 'Wrong number' };
const granted: ReplacementEvent = {
  type: 'ChargebackGranted',
  data: { at: minute(11), ...about, ...wrongNumber },
};
const denied = (explanation: string, at = minute(10)): ReplacementEvent => ({
  type: 'ChargebackDenied',
  data: { at, ...about, explanation: boxOf(explanation) },
});
const grant: ReplacementCommand = { type: 'GrantChargeback', at: minute(11) };
const deny: ReplacementCommand = {
  type: 'DenyChargeback',
  at: minute(11),
  explanation: boxOf('we reached the person'),
};

describe('the return of a lead', () => {
  it.each(defaultPolicy.approvedReturnReasons)('RPL-3: is taken for the reason "%s"', (reason) => {
    given(replacement).when(request(reason)).thenRecords(requested(reason));
  });

  it.each(defaultPolicy.invalidReturnReasons)('RPL-4, RPL-8: is recorded and denied at once for "%s"', (reason) => {
    const explanation = `"${labels[reason]}" is no reason for a replacement`;
    expect(explainDenial({ ...subject, at: minute(10), reason, returnPolicy })).toBe(explanation);
    given(replacement)
      .when(request(reason, minute(10), explanation))
      .thenRecords(requested(reason, minute(10), undefined, 'reason-not-valid'), denied(explanation));
    expect(() => given(replacement).when(request(reason)).thenNothing()).toThrow(RangeError);
  });

  it('RPL-3: is refused for an unknown reason', () => {
    given(replacement).when(request('too expensive')).thenRefuses('return-reason-unknown', 'RPL-3');
  });

  it('RPL-2: is possible up to five times 24 hours after the receipt, to the millisecond', () => {
    const last = '2026-05-06T10:00:00.000Z';
    given(replacement)
      .when(request('wrong-number', last))
      .thenRecords(requested('wrong-number', last, '2026-05-13T10:00:00.000Z'));
    const late = '2026-05-06T10:00:00.001Z';
    const explanation = 'the lead was delivered more than 5 days before the request';
    expect(explainDenial({ ...subject, at: late, reason: 'wrong-number', returnPolicy })).toBe(explanation);
    given(replacement)
      .when(request('wrong-number', late, explanation))
      .thenRecords(requested('wrong-number', late, '2026-05-13T10:00:00.001Z', 'too-late'), denied(explanation, late));
  });

  it('RPL-5: is overdue when it was not verified in time, which is recorded once', () => {
    const overdue = '2026-05-08T10:10:00.000Z';
    given(replacement, requested('wrong-number'))
      .when({ type: 'RecordOverdue', at: overdue })
      .thenRecords({ type: 'VerificationOverdue', data: { at: overdue, ...about, verifyBy: overdue } });
    given(replacement, requested('wrong-number'))
      .when({ type: 'RecordOverdue', at: minute(60) })
      .thenNothing();
    given(replacement, requested('wrong-number'), granted).when({ type: 'RecordOverdue', at: overdue }).thenNothing();
  });

  it('RPL-6, RPL-7, RPL-8: has one verdict, and it is final', () => {
    given(replacement, requested('wrong-number')).when(grant).thenRecordsOnce(granted);
    given(replacement, requested('wrong-number'))
      .when(deny)
      .thenRecordsEachTime(denied('we reached the person', minute(11)));
    for (const earlier of ['no', 'we reached the person'])
      given(replacement, requested('wrong-number'), denied(earlier)).when(deny).thenRefuses('already-decided', 'RPL-8');
    given(replacement, requested('wrong-number'), granted).when(deny).thenRefuses('already-decided', 'RPL-8');
    given(replacement, requested('wrong-number'), denied('no')).when(grant).thenRefuses('already-decided', 'RPL-8');
    given(replacement).when(grant).thenRefuses('replacement-unknown');
  });

  it('RPL-8: is one for each delivered lead', () => {
    given(replacement, requested('wrong-number')).when(request('wrong-number')).thenNothing();
    given(replacement, requested('wrong-number'))
      .when(request('telephone-disconnected'))
      .thenRefuses('return-requested', 'RPL-8');
    expect(replacementIdOf('o1', 'l1')).toBe(replacementIdOf('o1', 'l1'));
    expect(replacementIdOf('o1', 'l1')).not.toBe(replacementIdOf('o1', 'l2'));
    expect(replacementIdOf('o1', 'l1')).not.toBe(replacementIdOf('o2', 'l1'));
  });

  it('RPL-6: ends with the replacement that was granted', () => {
    const record: ReplacementCommand = {
      type: 'RecordReplacementDelivered',
      at: minute(20),
      replacementLeadId: 'l2',
    };
    given(replacement, requested('wrong-number'), granted)
      .when(record)
      .thenRecords({ type: 'ReplacementDelivered', data: { at: minute(20), ...about, replacementLeadId: 'l2' } });
    given(replacement, requested('wrong-number')).when(record).thenRefuses('replacement-not-granted', 'RPL-6');
  });

  it.each(['WRONG-NUMBER', 'Wrong Number', 'wRONG nUMBER'])('RPL-3: takes a code or a label, as in "%s"', (reason) => {
    given(replacement).when(request(reason)).thenRecords(requested('wrong-number'));
  });

  it('RPL-8: takes another reason after a denial, and every reason once', () => {
    const again = minute(30);
    const twice = requested('telephone-disconnected', again, '2026-05-08T10:30:00.000Z');
    const once = [requested('wrong-number'), denied('no', minute(11))];
    given(replacement, ...once)
      .when(request('telephone-disconnected', again))
      .thenRecords(twice);
    given(replacement, ...once)
      .when(request('Wrong number', again))
      .thenNothing();
    given(replacement, ...once, twice)
      .when(request('outside-us-and-canada', again))
      .thenRefuses('return-requested', 'RPL-8');
    given(replacement, ...once, twice, denied('no', minute(40)))
      .when(request('wrong-number', minute(41)))
      .thenNothing();
  });

  it('RPL-8: is not the same request with another note', () => {
    const noted = { ...request('wrong-number'), note: boxOf('dead line') } as ReplacementCommand;
    for (const past of [[requested('wrong-number')], [requested('wrong-number'), denied('no', minute(11))]])
      given(replacement, ...past)
        .when(noted)
        .thenRefuses('return-requested', 'RPL-8');
  });

  it('RPL-5: has a new time for its verification when it is requested again', () => {
    const overdue = '2026-05-08T10:10:00.000Z';
    const late: ReplacementEvent = { type: 'VerificationOverdue', data: { at: overdue, ...about, verifyBy: overdue } };
    const verifyBy = '2026-05-12T10:10:00.000Z';
    const past = [requested('wrong-number'), late, denied('no', overdue)];
    given(replacement, ...past, requested('telephone-disconnected', '2026-05-05T10:10:00.000Z', verifyBy))
      .when({ type: 'RecordOverdue', at: verifyBy })
      .thenRecords({ type: 'VerificationOverdue', data: { at: verifyBy, ...about, verifyBy } });
  });

  it('ends when its customer is erased, decided or not: nobody decides any more, and a delivery under way counts', () => {
    const end: ReplacementCommand = { type: 'EndReplacement', at: minute(12), cause: 'customer-erased' };
    const ended: ReplacementEvent = {
      type: 'ReplacementEnded',
      data: { at: minute(12), ...about, cause: 'customer-erased' },
    };
    given(replacement, requested('wrong-number')).when(end).thenRecords(ended);
    given(replacement, requested('wrong-number'), granted).when(end).thenRecords(ended);
    given(replacement, requested('wrong-number'), denied('no')).when(end).thenNothing();
    given(replacement, requested('wrong-number'), ended).when(grant).thenRefuses('person-erased');
    given(replacement, requested('wrong-number'), ended).when(deny).thenRefuses('person-erased');
    given(replacement, requested('wrong-number'), ended)
      .when({ type: 'RecordOverdue', at: '2026-05-09T10:10:00.000Z' })
      .thenNothing();
    const replacementLeadId = 'l2';
    given(replacement, requested('wrong-number'), granted, ended)
      .when({ type: 'RecordReplacementDelivered', at: minute(20), replacementLeadId })
      .thenRecords({ type: 'ReplacementDelivered', data: { at: minute(20), ...about, replacementLeadId } });
  });
});
