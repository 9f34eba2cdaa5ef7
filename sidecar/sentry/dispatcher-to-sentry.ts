// How requests to Sentry leave the sidecar: through the proxy that the environment names, if any (HTTPS_PROXY, HTTP_PROXY,
// NO_PROXY).
import { EnvHttpProxyAgent, type Dispatcher } from 'undici';

let dispatcher: Dispatcher | undefined;

/** @throws Error where what the environment names is no address */
export function dispatcherToSentry(): Dispatcher {
  return (dispatcher ??= new EnvHttpProxyAgent());
}
