// From a Kong log and what it was judged to be to the upstream addresses that failed: of every failed try, and of the try whose
// answer was an error of the upstream. An answer that only the client is at fault for has none.
import { addressText } from './contract/failed-address';
import { countsAsError } from './contract/severity';
import type { Outcome } from './error-type';
import type { KongLog, KongTry } from './kong-log';
import { targetAddress } from './target-address';

/** In the order of the tries; an address as often as it failed. A try of which Kong tells no address is left out. */
export function failedAddressesOf({ tries = [] }: KongLog, { source, severity }: Outcome): string[] {
  const isUpstreamError = source === 'upstream' && countsAsError(severity);
  const addresses: string[] = [];
  for (const [index, entry] of tries.entries()) {
    const isAnswer = index === tries.length - 1;
    if (entry.failed || (isAnswer && isUpstreamError)) addAddressOf(entry, addresses);
  }
  return addresses;
}

function addAddressOf(entry: KongTry, addresses: string[]): void {
  const address = targetAddress(entry);
  if (address !== undefined) addresses.push(addressText(address));
}
