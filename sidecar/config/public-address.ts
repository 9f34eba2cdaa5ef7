// Whether an address is one that anybody on the internet could have. What is not a public unicast address is none: private, loopback,
// link-local, carrier-grade NAT, documentation, and every IPv6 address outside of 2000::/3 or that leads into IPv4 (mapped, NAT64, 6to4,
// Teredo), since whoever translates it may stand inside (https://www.iana.org/assignments/iana-ipv6-special-registry/).
import { isIP } from 'node:net';
import { parse, type IPv6 } from 'ipaddr.js';

/**
 * Public by their numbers, and answered inside of a cloud: Azure's WireServer, which gives machines their settings and certificates
 * (https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16).
 */
const CLOUD_INTERNAL = new Set(['168.63.129.16']);

/** @param address IPv4 or IPv6; anything else is not public */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  const parsed = parse(address);
  if (parsed.range() !== 'unicast' || CLOUD_INTERNAL.has(parsed.toString())) return false;
  return parsed.kind() === 'ipv4' || isGlobalUnicast(parsed as IPv6);
}

/** 2000::/3 is all that was given out: https://www.iana.org/assignments/ipv6-address-space/ */
function isGlobalUnicast({ parts: [first = 0] }: IPv6): boolean {
  return first >> 13 === 1;
}
