import type { ResolvedEvent } from '@eventstore/db-client';
import { recordedEventOf } from './translation.ts';

const resolved = (streamId: string, revision: bigint, type: string) =>
  ({
    event: {
      streamId,
      revision,
      type,
      id: 'a3f5c1de-0000-4000-8000-000000000000',
      isJson: true,
      data: {},
      created: new Date(0),
      position: { commit: 7n, prepare: 7n },
    },
  }) as unknown as ResolvedEvent;

describe('an event of the server', () => {
  it('is read like one of ours if it is in a stream of ours', () => {
    expect(recordedEventOf(resolved('order-1', 3n, 'OrderPaused'))).toMatchObject({ stream: 'order-1', revision: 3 });
  });

  it('is left out if it is in a stream of the server', () => {
    expect(recordedEventOf(resolved('$$order-1', 0n, '$metadata'))).toBeUndefined();
  });

  it('is left out if it is the tombstone of a stream: its revision is no number of ours', () => {
    expect(recordedEventOf(resolved('order-1', 2n ** 63n - 1n, '$streamDeleted'))).toBeUndefined();
  });
});
