import { given, minute } from '#test/given';
import { type VaultNameEvent, vaultName } from './vault-name.ts';

const mine = 'x'.repeat(22);
const named: VaultNameEvent = { type: 'VaultNamed', data: { at: minute(1), fingerprint: mine } };

it('a log names its vault once', () => {
  given(vaultName)
    .when({ type: 'NameVault', at: minute(1), fingerprint: mine })
    .thenRecords(named);
});

it('a log says once that its business associations are sealed', () => {
  given(vaultName, named)
    .when({ type: 'FinishSealingBusinesses', at: minute(2), customers: 7 })
    .thenRecords({ type: 'AllBusinessAssociationsSealed', data: { at: minute(2), customers: 7 } });
});

it('a log that names its vault refuses another one', () => {
  given(vaultName, named)
    .when({ type: 'NameVault', at: minute(2), fingerprint: 'y'.repeat(22) })
    .thenRefuses('another-vault');
});

it('a log says with which legal endings its business keys were made, once for each list', () => {
  const data = (minutes: number, legalEndings: string[]) => ({
    ...{ at: minute(minutes), customers: 7, legalEndings, legalEndingsId: legalEndings.join() },
  });
  const finish = (minutes: number, ...legalEndings: string[]) =>
    ({ type: 'FinishRenewingBusinessKeys', ...data(minutes, legalEndings) }) as const;
  const renewed = (minutes: number, ...legalEndings: string[]): VaultNameEvent => ({
    type: 'AllBusinessKeysRenewed',
    data: data(minutes, legalEndings),
  });
  given(vaultName, named).when(finish(2, 'Inc.')).thenRecords(renewed(2, 'Inc.'));
  given(vaultName, named, renewed(2, 'Inc.'))
    .when(finish(3, 'Inc.', 'Club'))
    .thenRecords(renewed(3, 'Inc.', 'Club'));
  given(vaultName, named, renewed(2, 'Inc.')).when(finish(3, 'Inc.')).thenNothing();
  const { legalEndingsId: _, ...ofBefore } = data(2, ['Inc.']);
  given(vaultName, named, { type: 'AllBusinessKeysRenewed', data: ofBefore })
    .when(finish(3, 'Inc.'))
    .thenRecords(renewed(3, 'Inc.'));
});
