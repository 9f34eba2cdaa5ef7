// What the host's two processes tell each other.
import type { SocketPlace } from './bound-socket';

/** What Kong asks to start an instance: the name of the plugin, and its configuration as JSON. */
export interface InstanceStart {
  readonly Name: string;
  readonly Config: string;
}

/**
 * Kong makes an instance for each worker and configuration, and again at each reload; those started longest ago go first. One
 * that is needed again is started again: Kong does that when told "no plugin instance".
 */
export const MAX_INSTANCES = 1_000;

export type ToWorker =
  /** The first message: begin with the instances that the worker before had, so that Kong need not start them again. */
  | { readonly kind: 'begin'; readonly instances: readonly InstanceStart[]; readonly place: SocketPlace }
  /** Another host has the path: no new connection can come. Finish those that are there, deliver everything, and leave. */
  | { readonly kind: 'finish' };

export type ToParent =
  /** The socket may be published. */
  | { readonly kind: 'listening' }
  | { readonly kind: 'started'; readonly start: InstanceStart }
  /** Its event loop turns. */
  | { readonly kind: 'alive' };

/** How often a worker says that it is alive. */
export const ALIVE_INTERVAL_MS = 1_000;

/** In the worker's stdio. */
export const SOCKET_FD = 3;
