import { BlockList, isIP, isIPv6 } from 'node:net';

export const listIn = (written: string): readonly string[] => written.split(',').map((part) => part.trim());

/** Addresses, and networks as `10.0.0.0/8`, with commas between them. */
export const areNetworks = (written: string): boolean => listIn(written).every(isNetwork);

function isNetwork(written: string): boolean {
  const [address = '', bits, ...more] = written.split('/');
  const most = isIPv6(address) ? 128 : 32;
  return (
    isIP(address) !== 0 && more.length === 0 && (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= most))
  );
}

export const THIS_MACHINE = ['127.0.0.0/8', '::1'];

/** Whether an address is in one of the networks. What is no address is in none. */
export function membersOf(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = familyOf(address);
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');
