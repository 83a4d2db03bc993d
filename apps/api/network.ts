import { isIPv6 } from 'node:net';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

const GROUPS_OF_A_NETWORK = 4;

/** The first half of an IPv6 address: providers give each customer a /64 or more, from which it may take any address. */
export function networkOf(address: string): string {
  const ipv4 = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  const [written = ''] = address.split('%');
  return isIPv6(written) ? `${groupsOf(written).slice(0, GROUPS_OF_A_NETWORK).join(':')}::/64` : address;
}

function groupsOf(address: string): readonly string[] {
  const [left = [], right = []] = new URL(`http://[${address}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''));
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
}

/** From where a request comes, as far as it can be counted: the nearest that no trusted proxy is. */
export const Network = createParamDecorator((_: unknown, context: ExecutionContext): string =>
  networkOf(context.switchToHttp().getRequest<FastifyRequest>().ip ?? ''),
);
