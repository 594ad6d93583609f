import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';
import { Problem } from './errors.js';
import type { Secrets } from './secrets.js';

/**
 * The network a caller is counted under: an IPv4 address as it is, an IPv6 address by its /64, which is what one
 * household or host is given, so that nobody gains by changing the lower half.
 *
 * A connection that was reset has no address any more. Nobody waits for its answer, and nothing is done for it.
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined) throw new Problem('unavailable', 'The connection is gone.');
  const bare = address.replace(/%.*$/, '').toLowerCase();
  if (isIPv4(bare)) return bare;
  if (!isIPv6(bare)) return 'unknown';
  const groups = expand(bare);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) {
    const [high = 0, low = 0] = groups.slice(6);
    return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** An address is personal: what is kept of callers without an account is this keyed hash, from which nobody learns it. */
export function networkId(secrets: Secrets, network: string): string {
  return `net_${secrets.mac('billing-network', network)}`;
}

/** Where a request comes from, as far as the proxies that are believed say so. For those that the framework does not see. */
export function clientAddress({ socket, headers }: IncomingMessage, trustProxy: number): string | undefined {
  const forwarded = headers['x-forwarded-for'];
  const named = String(forwarded ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '');
  const hops = [socket.remoteAddress, ...named.reverse()];
  return hops[Math.min(trustProxy, hops.length - 1)];
}

function expand(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : address;
  const [head = '', tail] = text.split('::');
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const before = parse(head);
  const after = tail === undefined ? [] : parse(tail);
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}
