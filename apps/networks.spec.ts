import { areNetworks, listIn, membersOf, THIS_MACHINE } from './networks.ts';

test.each(['10.0.0.1', '10.0.0.0/8', 'fd00::/8, ::1', '0.0.0.0/0'])('%s are networks', (written) => {
  expect(areNetworks(written)).toBe(true);
});

test.each(['proxy', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/', '10.0.0.1,', '::/129', '10.0.0'])(
  '%s are no networks',
  (written) => expect(areNetworks(written)).toBe(false),
);

test('an address is in a network, in whatever form it is written', () => {
  const isIn = membersOf(listIn('10.0.0.0/8, 2001:db8::/32, 192.0.2.7'));
  for (const address of ['10.9.9.9', '::ffff:10.1.2.3', '2001:DB8:1::9', '192.0.2.7']) expect(isIn(address)).toBe(true);
  for (const address of ['11.0.0.1', '2001:db9::1', '192.0.2.8', '', 'unknown']) expect(isIn(address)).toBe(false);
  expect(['127.0.0.1', '::1', '::ffff:127.0.0.1'].every(membersOf(THIS_MACHINE))).toBe(true);
});
