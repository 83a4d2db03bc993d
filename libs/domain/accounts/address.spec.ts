import { boxOf, businessOf } from '#test/boxes';
import { given, minute } from '#test/given';
import { addHours } from '../kernel/instants.ts';
import { type AddressCommand, type AddressEvent, address } from './address.ts';

const registration = {
  storeId: 'main',
  ...businessOf('Abc'),
  timeZone: 'UTC',
  email: boxOf('a@b.example'),
  addressKey: 'k',
};
const claimed: AddressEvent = {
  type: 'AddressClaimed',
  data: { at: minute(0), customerId: 'c1', purpose: { for: 'registration', registration } },
};

describe('an address that somebody typed', () => {
  const warn = (at: string): AddressCommand => ({ type: 'WarnHolder', at });
  const warned: AddressEvent = { type: 'HolderWarned', data: { at: minute(1), customerId: 'c1' } };

  it('ACC-2: its customer is told at most once a day', () => {
    given(address, claimed)
      .when(warn(minute(1)))
      .thenRecords(warned);
    given(address, claimed, warned)
      .when(warn(addHours(minute(0), 24)))
      .thenNothing();
    given(address, claimed, warned)
      .when(warn(addHours(minute(1), 24)))
      .thenRecords({ type: 'HolderWarned', data: { at: addHours(minute(1), 24), customerId: 'c1' } });
    given(address)
      .when(warn(minute(1)))
      .thenNothing();
  });

  it('ACC-2: gets at most three links in a day, whether it has an account or not', () => {
    const want = (at: string): AddressCommand => ({ type: 'WantAddress', at, customerId: 'c2' });
    const wanted = [1, 2, 3].map(
      (at): AddressEvent => ({ type: 'AddressWanted', data: { at: minute(at), customerId: 'c2' } }),
    );
    for (const before of [[], [claimed]]) {
      given(address, ...before, ...wanted.slice(0, 2))
        .when(want(minute(3)))
        .thenRecordsEachTime(wanted[2] as AddressEvent);
      given(address, ...before, ...wanted)
        .when(want(minute(4)))
        .thenRefuses('too-many-links', 'ACC-2');
      const later = addHours(minute(1), 24);
      given(address, ...before, ...wanted)
        .when(want(later))
        .thenRecordsEachTime({ type: 'AddressWanted', data: { at: later, customerId: 'c2' } });
    }
  });
});
