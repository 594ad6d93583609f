/** Which addresses belong to the public internet. What is not known to is refused. */
import ipaddr from 'ipaddr.js';

// Reachable from inside Azure's network alone, though it reads like any other address: its machines' control channel.
const AZURE_CONTROL = '168.63.129.16';
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  // Mapped, translated and tunnelled IPv4 (::ffff:, 64:ff9b::, 2002::, 2001::) have range names of their own.
  if (address.range() !== 'unicast') return false;
  if (address instanceof ipaddr.IPv6) return address.match(GLOBAL_UNICAST) && !embedsIpv4(address);
  return address.toString() !== AZURE_CONTROL;
}

/** An ISATAP tunnel's end (RFC 5214) delivers to the IPv4 address in the last 32 bits, under any prefix. */
function embedsIpv4({ parts }: ipaddr.IPv6): boolean {
  const [, , , , flags = 0, marker] = parts;
  return (flags & 0xfdff) === 0 && marker === 0x5efe;
}
