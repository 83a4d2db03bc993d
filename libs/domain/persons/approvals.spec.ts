import { given, minute } from '#test/given';
import { type ApprovalEvent, approvals, interruptedAt, waitingAt } from './approvals.ts';

const asked = { approvalId: 'a1', act: 'erasure', person: 'p'.repeat(22) } as const;
const requested: ApprovalEvent = {
  type: 'ApprovalRequested',
  data: { at: minute(0), ...asked, requestedBy: 'staff:ada', expiresAt: minute(60) },
};
const request = { type: 'RequestApproval', ...requested.data } as const;
const approve = { type: 'Approve', mayAsk: true, at: minute(1), ...asked, approvedBy: 'staff:bob' } as const;
const approved: ApprovalEvent = {
  type: 'ApprovalGiven',
  data: { at: minute(1), ...asked, requestedBy: 'staff:ada', approvedBy: 'staff:bob' },
};

test('one asks, and another one approves', () => {
  given(approvals).when(request).thenRecords(requested);
  given(approvals, requested).when(approve).thenRecords(approved);
  given(approvals, requested, approved)
    .when({ ...approve, approvedBy: 'staff:cai' })
    .thenRefuses('approval-unknown');
});

test('nobody approves the own request, nor what was not asked for, nor what has expired', () => {
  const trying = (change: object) => given(approvals, requested).when({ ...approve, ...change });
  trying({ approvedBy: 'staff:ada' }).thenRefuses('second-member-needed');
  trying({ act: 'export' }).thenRefuses('approval-for-another');
  trying({ person: 'q'.repeat(22) }).thenRefuses('approval-for-another');
  trying({ approvalId: 'a2' }).thenRefuses('approval-unknown');
  trying({ at: minute(60) }).thenRefuses('approval-unknown');
});

test('an approval is good for an hour, for whoever gave it: the answer may be lost', () => {
  given(approvals, requested, approved)
    .when({ ...approve, at: minute(59) })
    .thenNothing();
  const longer = { ...requested, data: { ...requested.data, expiresAt: minute(600) } };
  given(approvals, longer, approved)
    .when({ ...approve, at: minute(61) })
    .thenRefuses('approval-unknown');
});

test('what waits is asked for once, and again after it expired or was approved', () => {
  const again = { ...request, approvalId: 'a2', requestedBy: 'staff:cai', expiresAt: minute(120) };
  given(approvals, requested)
    .when({ ...again, at: minute(5) })
    .thenNothing();
  const { type: _, ...data } = { ...again, at: minute(60) };
  given(approvals, requested)
    .when({ ...again, at: minute(60) })
    .thenRecords({ type: 'ApprovalRequested', data });
  given(approvals, requested, approved)
    .when({ ...again, at: minute(60) })
    .thenRecords({ type: 'ApprovalRequested', data });
  expect(waitingAt(given(approvals, requested).state(), minute(59))).toHaveLength(1);
  expect(waitingAt(given(approvals, requested).state(), minute(60))).toEqual([]);
  expect(waitingAt(given(approvals, requested, approved).state(), minute(2))).toEqual([]);
});

test('an approval counts only while whoever asked for it still has the role', () => {
  given(approvals, requested)
    .when({ ...approve, mayAsk: false })
    .thenRefuses('asker-without-role', 'SUP-2');
});

test('what was approved is interrupted until it is carried out, by this approval or a later one', () => {
  const finish = { type: 'FinishApproval', at: minute(2), approvalId: 'a1' } as const;
  const done: ApprovalEvent = { type: 'ApprovalCarriedOut', data: { ...approved.data, at: minute(2) } };
  given(approvals, requested).when(finish).thenRefuses('approval-unknown');
  given(approvals, requested, approved).when(finish).thenRecords(done);
  given(approvals, requested, approved, done).when(finish).thenNothing();
  given(approvals, requested, approved, done).when(approve).thenNothing();
  const interrupted = (...events: ApprovalEvent[]) =>
    interruptedAt(given(approvals, ...events).state(), minute(3)).map(({ approvalId }) => approvalId);
  expect(interrupted(requested, approved)).toEqual(['a1']);
  expect(interrupted(requested, approved, done)).toEqual([]);
  const later = [requested, approved, done].map(({ type, data }) => ({ type, data: { ...data, approvalId: 'a2' } }));
  expect(interrupted(requested, approved, ...(later as ApprovalEvent[]))).toEqual([]);
  expect(interruptedAt(given(approvals, requested, approved).state(), minute(60))).toEqual([]);
});
