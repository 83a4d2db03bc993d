import { given, minute } from '#test/given';
import { type BusinessMergeEvent, businessMerges } from './business-merges.ts';

const merge = { mergeId: 'm1', customerId: 'c1', businessKey: 'k1', otherCustomerId: 'c2', otherBusinessKey: 'k2' };
const merged: BusinessMergeEvent = { type: 'BusinessesMerged', data: { at: minute(1), ...merge } };
const takenBack: BusinessMergeEvent = { type: 'BusinessMergeTakenBack', data: { at: minute(2), ...merge } };

describe('businesses with different names', () => {
  it('DLV-3: are merged once, in either direction', () => {
    given(businessMerges)
      .when({ type: 'MergeBusinesses', at: minute(1), ...merge })
      .thenRecordsEachTime(merged);
    given(businessMerges, merged)
      .when({
        type: 'MergeBusinesses',
        at: minute(2),
        ...merge,
        mergeId: 'm2',
        businessKey: 'k2',
        otherBusinessKey: 'k1',
      })
      .thenRefuses('businesses-are-one');
    given(businessMerges)
      .when({ type: 'MergeBusinesses', at: minute(1), ...merge, otherBusinessKey: 'k1' })
      .thenRefuses('businesses-are-one');
  });

  it('DLV-3: are two again once the merge is taken back, and may be merged anew', () => {
    const takeBack = { type: 'TakeBusinessMergeBack', at: minute(2), mergeId: 'm1' } as const;
    given(businessMerges, merged).when(takeBack).thenRecordsEachTime(takenBack);
    given(businessMerges, merged, takenBack).when(takeBack).thenRefuses('merge-unknown');
    given(businessMerges, merged, takenBack)
      .when({ type: 'MergeBusinesses', at: minute(1), ...merge })
      .thenRecordsEachTime(merged);
  });
});
