import { given, minute } from '#test/given';
import { personClaim } from './person-claim.ts';

const claim = (leadId: string, attempt = 0, from?: { leadId: string; attempt: number }) =>
  ({ type: 'ClaimPerson', at: minute(2), leadId, attempt, ...(from && { from }) }) as const;
const claimed = (leadId: string, more: { attempt?: number; fromLeadId?: string } = {}) =>
  ({ type: 'PersonClaimed', data: { at: minute(2), leadId, ...more } }) as const;

describe('the claim on a person', () => {
  test('the first lead of a person has it', () => {
    given(personClaim).when(claim('l1')).thenRecords(claimed('l1'));
  });

  test('another lead of the person does not get it', () => {
    given(personClaim, claimed('l1')).when(claim('l2')).thenRefuses('person-claimed', 'DLV-11');
  });

  test('it passes on from the claim that was read', () => {
    given(personClaim, claimed('l1'))
      .when(claim('l2', 0, { leadId: 'l1', attempt: 0 }))
      .thenRecords(claimed('l2', { fromLeadId: 'l1' }));
  });

  test('it does not pass on from a claim that has changed since it was read', () => {
    const past = [claimed('l1'), claimed('l2', { fromLeadId: 'l1' })];
    given(personClaim, ...past)
      .when(claim('l3', 0, { leadId: 'l1', attempt: 0 }))
      .thenRefuses('person-claimed');
  });

  test('a lead whose claim was forfeited claims again, and whoever took the earlier claim for it is refused', () => {
    given(personClaim, claimed('l1'))
      .when(claim('l1', 1))
      .thenRecords(claimed('l1', { attempt: 1 }));
    given(personClaim, claimed('l1'), claimed('l1', { attempt: 1 }))
      .when(claim('l2', 0, { leadId: 'l1', attempt: 0 }))
      .thenRefuses('person-claimed');
  });

  test('other leads of the person that were sold are noted once, and stay', () => {
    const link = (leadId: string) => ({ type: 'LinkPerson', at: minute(3), leadId }) as const;
    const linked = { type: 'PersonLinked', data: { at: minute(3), leadId: 'l2' } } as const;
    given(personClaim, claimed('l1')).when(link('l2')).thenRecords(linked);
    given(personClaim, claimed('l1')).when(link('l1')).thenNothing();
    given(personClaim, claimed('l1'), linked, claimed('l3', { fromLeadId: 'l1' }))
      .when(link('l2'))
      .thenNothing();
  });

  test('a claim of before is no claim of now', () => {
    given(personClaim, claimed('l1', { attempt: 1 }))
      .when(claim('l1', 0))
      .thenRefuses('person-claimed');
  });
});

describe('DLV-12: a suppressed person', () => {
  const suppress = (from?: { leadId: string; attempt: number }) =>
    ({ type: 'SuppressPerson', at: minute(2), suppression: 'opt-out', ...(from && { from }) }) as const;
  const suppressed = { type: 'PersonSuppressed', data: { at: minute(2), suppression: 'opt-out' } } as const;

  test('is suppressed from the claim that was read, and from no other', () => {
    given(personClaim).when(suppress()).thenRecords(suppressed);
    given(personClaim, claimed('l1'))
      .when(suppress({ leadId: 'l1', attempt: 0 }))
      .thenRecords(suppressed);
    given(personClaim, claimed('l1')).when(suppress()).thenRefuses('person-claimed');
    given(personClaim, claimed('l1', { attempt: 1 }))
      .when(suppress({ leadId: 'l1', attempt: 0 }))
      .thenRefuses('person-claimed');
  });

  test('is claimed by no lead any more; a claim that is repeated changes nothing', () => {
    given(personClaim, suppressed).when(claim('l1')).thenRefuses('person-suppressed', 'DLV-12');
    given(personClaim, claimed('l1'), suppressed)
      .when(claim('l2', 0, { leadId: 'l1', attempt: 0 }))
      .thenRefuses('person-suppressed', 'DLV-12');
    given(personClaim, claimed('l1'), suppressed).when(claim('l1', 1)).thenRefuses('person-suppressed');
    given(personClaim, claimed('l1'), suppressed).when(claim('l1')).thenNothing();
  });
});

describe('DLV-12: a suppression is lifted', () => {
  const by = (suppression: 'opt-out' | 'do-not-call', listId?: string) => ({
    suppression,
    ...(listId !== undefined && { listId }),
  });
  const suppress = (...why: Parameters<typeof by>) =>
    ({ type: 'SuppressPerson', at: minute(2), ...by(...why) }) as const;
  const suppressed = (...why: Parameters<typeof by>) =>
    ({ type: 'PersonSuppressed', data: { at: minute(2), ...by(...why) } }) as const;
  const lift = (listId?: string) =>
    ({ type: 'LiftSuppression', at: minute(3), ...(listId !== undefined && { listId }) }) as const;
  const lifted = (listId?: string) =>
    ({ type: 'SuppressionLifted', data: { at: minute(3), ...(listId !== undefined && { listId }) } }) as const;

  test('each list is recorded once, and an own request beside it', () => {
    given(personClaim, suppressed('do-not-call', 'march')).when(suppress('do-not-call', 'march')).thenNothing();
    given(personClaim, suppressed('do-not-call', 'march'))
      .when(suppress('do-not-call', 'april'))
      .thenRecords(suppressed('do-not-call', 'april'));
    given(personClaim, suppressed('do-not-call', 'march')).when(suppress('opt-out')).thenRecords(suppressed('opt-out'));
  });

  test('of the person: then it can be claimed again, whatever suppressed it', () => {
    const past = [suppressed('do-not-call', 'march'), suppressed('opt-out')];
    given(personClaim, ...past)
      .when(lift())
      .thenRecords(lifted());
    given(personClaim, ...past, lifted())
      .when(claim('l1'))
      .thenRecords(claimed('l1'));
    given(personClaim, ...past, lifted())
      .when(lift())
      .thenNothing();
    given(personClaim, ...past, lifted())
      .when(suppress('opt-out'))
      .thenRecords(suppressed('opt-out'));
  });

  test('of a list: who is on another list, or opted out, stays suppressed', () => {
    const march = suppressed('do-not-call', 'march');
    given(personClaim, march, lifted('march')).when(claim('l1')).thenRecords(claimed('l1'));
    for (const other of [suppressed('do-not-call', 'april'), suppressed('opt-out'), suppressed('do-not-call')])
      given(personClaim, march, other, lifted('march')).when(claim('l1')).thenRefuses('person-suppressed');
    given(personClaim, march, lifted('march')).when(lift('march')).thenNothing();
    given(personClaim, march).when(lift('april')).thenNothing();
  });

  test('what came without a name is of the list do-not-call, and an own request is of no list', () => {
    given(personClaim, suppressed('do-not-call')).when(lift('do-not-call')).thenRecords(lifted('do-not-call'));
    given(personClaim, suppressed('opt-out')).when(lift('do-not-call')).thenNothing();
    given(personClaim, suppressed('opt-out', 'unsubscribed'))
      .when(lift('unsubscribed'))
      .thenRecords(lifted('unsubscribed'));
  });
});
