// Keeps a channel out of private networks: an address of a configuration, or what a name server says of one, must not lead to this
// machine, to its neighbours or to a cloud's service of credentials. The addresses that are connected to are those that were
// judged, so a name that changes its mind in between gains nothing.
import { lookup as askSystem, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { isPublicAddress } from '../../config/public-address';

/** Told in the place of an answer. */
export const PRIVATE_ADDRESS_CODE = 'private address';

class PrivateAddressError extends Error {
  readonly code = PRIVATE_ADDRESS_CODE;
}

type Ask = (
  name: string,
  options: LookupAllOptions,
  answered: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Of the addresses of a name those that are public; an error where there are others only. */
export function publicLookup(ask: Ask = askSystem): LookupFunction {
  return (name, options, answered) => {
    ask(name, { ...options, all: true }, (error, addresses) => {
      const open = error ? [] : addresses.filter(({ address }) => isPublicAddress(address));
      const [first] = open;
      if (error) answered(error, '');
      else if (first === undefined) answered(new PrivateAddressError(), '');
      else if (options.all === true) answered(null, open);
      else answered(null, first.address, first.family);
    });
  };
}

/** Connects as undici would, but to public addresses only. */
export function publicConnector(options: buildConnector.BuildOptions, ask?: Ask): buildConnector.connector {
  const connect = buildConnector({ ...options, lookup: publicLookup(ask) });
  return (target, connected) => {
    // An address is not looked up. However it was spelt, the parser of URLs has made it the usual one.
    if (isIP(target.hostname) !== 0 && !isPublicAddress(target.hostname))
      connected(new PrivateAddressError(), null);
    else connect(target, connected);
  };
}
