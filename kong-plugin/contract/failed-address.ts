// The upstream addresses at which tries failed, and how many did at each. Addresses are Kong's, but they come and go (a pool
// that grows and shrinks has new ones every day), so both their text and their number are bounded: of more than MAX_ADDRESSES
// the first ones in the order of their text are kept, the others are counted together under `__other__`. An address that is
// kept was then never counted elsewhere, in whatever order counts are added.
import { OTHER } from './label-text';

/** Without `__other__`. */
export const MAX_ADDRESSES = 64;

/** An IPv6 address in brackets and a port take 47 at most. */
export const MAX_ADDRESS_CHARACTERS = 64;

const ADDRESS = new RegExp(`^[!-~]{1,${MAX_ADDRESS_CHARACTERS}}$`);
const UNPRINTABLE = /[^!-~]/gu;

/** Whether a text is one that `addressText` can give. */
export function isAddress(text: string): boolean {
  return ADDRESS.test(text);
}

/** Any text but an empty one, in printable ASCII: `?` for every other character, `...` for what is too much. */
export function addressText(text: string): string {
  if (isAddress(text)) return text;
  const printable = text.replace(UNPRINTABLE, '?');
  return printable.length <= MAX_ADDRESS_CHARACTERS
    ? printable
    : `${printable.slice(0, MAX_ADDRESS_CHARACTERS - 3)}...`;
}

/** Adds failures at one address; the sum of all counts grows by `failures`. */
export function addAddress(addresses: Map<string, number>, address: string, failures: number): void {
  const known = addresses.get(address);
  if (known !== undefined) {
    addresses.set(address, known + failures);
  } else if (address === OTHER || addresses.size < roomIn(addresses)) {
    addresses.set(address, failures);
  } else {
    const last = lastOf(addresses);
    if (address > last) {
      addAddress(addresses, OTHER, failures);
    } else {
      addAddress(addresses, OTHER, addresses.get(last) ?? 0);
      addresses.delete(last);
      addresses.set(address, failures);
    }
  }
}

function roomIn(addresses: ReadonlyMap<string, number>): number {
  return addresses.has(OTHER) ? MAX_ADDRESSES + 1 : MAX_ADDRESSES;
}

/** In the order of the texts. */
function lastOf(addresses: ReadonlyMap<string, number>): string {
  let last = '';
  for (const address of addresses.keys()) if (address !== OTHER && address > last) last = address;
  return last;
}
