import { given } from '#test/given';
import { isHalfCopy, type LogOriginEvent, logOrigin } from './log-origin.ts';

const at = '2026-05-01T10:00:00.000Z';
const begin = (from: string) => ({ type: 'BeginRewriting', at, from }) as const;
const finish = { type: 'FinishRewriting', at, events: 9 } as const;
const begun: LogOriginEvent = { type: 'LogRewritten', data: { at, from: 'log-1' } };
const finished: LogOriginEvent = { type: 'RewritingFinished', data: { at, events: 9 } };

const stateAfter = (...events: LogOriginEvent[]) => events.reduce(logOrigin.evolve, logOrigin.initialState());

describe('a log that is a copy in the forms of this version', () => {
  it('names the log that it was made from', () => given(logOrigin).when(begin('log-1')).thenRecords(begun));
  it('is the copy of one log', () => given(logOrigin, begun).when(begin('log-2')).thenRefuses('another-origin'));
  it('says when it is whole', () => given(logOrigin, begun).when(finish).thenRecords(finished));
  it('no other log becomes a copy', () => given(logOrigin).when(finish).thenRefuses('not-a-copy'));

  it('is a half copy from its beginning until it is whole', () => {
    expect([stateAfter(), stateAfter(begun), stateAfter(begun, finished)].map(isHalfCopy)).toEqual([
      false,
      true,
      false,
    ]);
  });
});
