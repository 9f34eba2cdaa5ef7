// How a channel connects to its receiver: past the proxies that the environment names, with TLS verified whatever the environment
// says, against the authorities of the channel's `ca_file`, in place of those that Node.js knows, where it has one. A receiver with a
// private authority is nobody else's to vouch for; Prometheus does the same with its ca_file.
import { Agent, buildConnector } from 'undici';
import { publicConnector } from './address-guard';

export interface Reach {
  readonly ca: { readonly pem: string } | undefined;
  /** This machine and private networks too. */
  readonly allowsPrivateAddresses: boolean;
}

/** The longest timeout of a channel: each request's own ends it before. */
const CONNECT_TIMEOUT_MS = 60_000;

export function receiverAgent({ ca, allowsPrivateAddresses }: Reach): Agent {
  const options = {
    rejectUnauthorized: true,
    timeout: CONNECT_TIMEOUT_MS,
    ...(ca === undefined ? {} : { ca: ca.pem }),
  };
  return new Agent({
    connect: allowsPrivateAddresses ? buildConnector(options) : publicConnector(options),
  });
}

let usual: Agent | undefined;

/** For receivers that are wherever the configuration says, under an authority that everybody knows. */
export function usualAgent(): Agent {
  return (usual ??= receiverAgent({ ca: undefined, allowsPrivateAddresses: true }));
}
