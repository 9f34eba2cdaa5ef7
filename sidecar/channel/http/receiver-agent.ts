// How a channel connects to its receiver: past the proxies that the environment names, with TLS verified against the authorities of
// the channel's `ca_file`, in place of those that Node.js knows, where it has one. A receiver with a private authority is nobody
// else's to vouch for; Prometheus does the same with its ca_file.
import { Agent, buildConnector } from 'undici';
import { publicConnector } from './address-guard';

export interface Reach {
  readonly ca: { readonly pem: string } | undefined;
  /** This machine and private networks too. */
  readonly allowsPrivateAddresses: boolean;
}

export function receiverAgent({ ca, allowsPrivateAddresses }: Reach): Agent {
  const options = ca === undefined ? {} : { ca: ca.pem };
  return new Agent({
    connect: allowsPrivateAddresses ? buildConnector(options) : publicConnector(options),
  });
}
