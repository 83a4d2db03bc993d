import { given, minute } from '#test/given';
import { type ReplacementCommand, type ReplacementEvent, replacement } from './replacement.ts';

const about = { orderId: 'o1', leadId: 'l1' };
const wrongNumber = { reason: 'wrong-number', reasonLabel: 'Wrong number' };
const box = { keyId: 'k1', box: 'bm8=' };
const because = { keyId: 'k1', box: 'aXQgcmFuZw==' };

const request = (beyondRules?: 'too-late', reason: object = wrongNumber): ReplacementEvent => ({
  type: 'ReplacementRequested',
  data: {
    at: minute(10),
    ...about,
    ...{ leadTypeId: 'shared-fresh', customerId: 'c1', storeId: 'main', deliveredAt: minute(0), verifyBy: minute(90) },
    ...{
      ...wrongNumber,
      ...reason,
      returnableUntil: minute(60),
      policyVersion: 1,
      ...(beyondRules && { beyondRules }),
    },
  },
});
const older = (at = minute(10)): ReplacementEvent => {
  const { returnableUntil: _, reasonLabel: __, ...data } = request().data as Record<string, unknown>;
  return { type: 'ReplacementRequested', data: { ...data, at } } as ReplacementEvent;
};
const granted: ReplacementEvent = { type: 'ChargebackGranted', data: { at: minute(11), ...about, ...wrongNumber } };
const denied = (at = minute(11)): ReplacementEvent => ({
  type: 'ChargebackDenied',
  data: { at, ...about, explanation: box },
});
const asked: ReplacementEvent = {
  type: 'CorrectionRequested',
  data: { at: minute(20), ...about, explanation: because },
};
const corrected = (verdict: 'granted' | 'denied', at = minute(20)): ReplacementEvent => ({
  type: 'VerdictCorrected',
  data: {
    ...{ at, ...about, customerId: 'c1', verdict, ...wrongNumber },
    ...(verdict === 'denied' && { explanation: because }),
  },
});
const goodwill: ReplacementEvent = {
  type: 'GoodwillGranted',
  data: { at: minute(20), ...about, customerId: 'c1', ...wrongNumber },
};
const replaced: ReplacementEvent = {
  type: 'ReplacementDelivered',
  data: { at: minute(21), ...about, replacementLeadId: 'l2' },
};

const toGranted: ReplacementCommand = { type: 'CorrectToGranted', at: minute(20) };
const toDenied: ReplacementCommand = { type: 'CorrectToDenied', at: minute(20), explanation: because };
const complete: ReplacementCommand = { type: 'CompleteCorrection', at: minute(22) };
const grantGoodwill: ReplacementCommand = { type: 'GrantGoodwill', at: minute(20) };

describe('a verdict', () => {
  it('RPL-10: is corrected from denied to granted, and the granted return is delivered', () => {
    given(replacement, request(), denied()).when(toGranted).thenRecordsOnce(corrected('granted'));
    given(replacement, request(), denied(), corrected('granted'))
      .when({ type: 'RecordReplacementDelivered', at: minute(21), replacementLeadId: 'l2' })
      .thenRecords(replaced);
  });

  it('RPL-10: is corrected from granted to denied once the order owes nothing any more', () => {
    given(replacement, request(), granted).when(toDenied).thenRecordsEachTime(asked);
    given(replacement, request(), granted, asked)
      .when(complete)
      .thenRecords(corrected('denied', minute(22)));
    given(replacement, request(), granted).when(complete).thenNothing();
  });

  it('RPL-10: stands when the replacement was delivered first', () => {
    given(replacement, request(), granted, asked, replaced).when(complete).thenNothing();
    given(replacement, request(), granted, asked)
      .when({ type: 'RecordReplacementDelivered', at: minute(21), replacementLeadId: 'l2' })
      .thenRecords(replaced);
    given(replacement, request(), granted, replaced).when(toDenied).thenRefuses('replacement-delivered', 'RPL-10');
    given(replacement, request(), granted, replaced).when(toGranted).thenRefuses('already-decided', 'RPL-8');
  });

  it('RPL-10: is not corrected before there is one, nor to what it is, nor twice at once', () => {
    for (const command of [toGranted, toDenied])
      given(replacement, request()).when(command).thenRefuses('return-not-decided', 'RPL-10');
    given(replacement, request(), granted).when(toGranted).thenRefuses('already-decided', 'RPL-8');
    given(replacement, request(), denied()).when(toDenied).thenRefuses('already-decided');
    for (const command of [toGranted, toDenied, grantGoodwill, { type: 'GrantChargeback', at: minute(20) } as const])
      given(replacement, request(), granted, asked).when(command).thenRefuses('correction-under-way', 'RPL-10');
  });

  it('RPL-10: can be corrected back and forth', () => {
    const back = corrected('denied', minute(22));
    given(replacement, request(), granted, asked, back)
      .when({ ...toGranted, at: minute(23) })
      .thenRecordsOnce(corrected('granted', minute(23)));
  });

  it('RPL-10: that a rule made is not corrected: only goodwill goes beyond the rules', () => {
    given(replacement, request('too-late'), denied(minute(10)))
      .when(toGranted)
      .thenRefuses('return-beyond-rules', 'RPL-11');
    given(replacement, request(), denied(), request('too-late', { reason: 'not-interested' }), denied(minute(10)))
      .when(toGranted)
      .thenRecordsOnce(corrected('granted'));
  });

  it('RPL-10: of an older version was made by a rule if it came in the instant of the request', () => {
    given(replacement, older(), denied(minute(10)))
      .when(toGranted)
      .thenRefuses('return-beyond-rules', 'RPL-11');
    const { reasonLabel: _, ...data } = corrected('granted').data as Record<string, unknown>;
    const unlabelled = { type: 'VerdictCorrected', data } as ReplacementEvent;
    given(replacement, older(), denied()).when(toGranted).thenRecordsOnce(unlabelled);
  });

  it('RPL-11: is goodwill on a return that was denied or waits, and can be taken back', () => {
    for (const past of [[request()], [request(), denied()], [request('too-late'), denied(minute(10))]])
      given(replacement, ...past)
        .when(grantGoodwill)
        .thenRecordsOnce(goodwill);
    given(replacement, request(), granted).when(grantGoodwill).thenRefuses('already-decided');
    given(replacement, request(), goodwill).when(toDenied).thenRecordsEachTime(asked);
  });

  it('is not changed for a customer who was erased', () => {
    const ended: ReplacementEvent = {
      type: 'ReplacementEnded',
      data: { at: minute(12), ...about, cause: 'customer-erased' },
    };
    for (const command of [toGranted, toDenied, grantGoodwill])
      given(replacement, request(), granted, ended).when(command).thenRefuses('person-erased');
    given(replacement, request(), granted, asked, ended).when(complete).thenNothing();
  });
});
