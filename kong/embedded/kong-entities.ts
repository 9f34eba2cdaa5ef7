// The entities of a declarative configuration once read and checked: what the router, the balancer and the log
// document work on. Times in milliseconds unless named otherwise; ids are UUIDs; `createdAtS` is the second of loading.

/** Where and how a service is reached. */
export interface Service {
  readonly id: string;
  readonly name?: string;
  readonly protocol: 'http' | 'https';
  /** A host name, an address, or the name of an upstream. */
  readonly host: string;
  readonly port: number;
  readonly path?: string;
  /** Further tries after the first, 0 to 32767. */
  readonly retries: number;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly enabled: boolean;
  readonly tags?: readonly string[];
  readonly createdAtS: number;
}

/** Which requests belong to which service. */
export interface Route {
  readonly id: string;
  readonly name?: string;
  /** Absent: a plugin has to answer. */
  readonly service?: Service;
  /** Prefixes, or regular expressions when they start with `~`. */
  readonly paths?: readonly string[];
  readonly hosts?: readonly string[];
  readonly methods?: readonly string[];
  readonly protocols: readonly string[];
  readonly stripPath: boolean;
  readonly preserveHost: boolean;
  readonly requestBuffering: boolean;
  readonly responseBuffering: boolean;
  readonly regexPriority: number;
  readonly pathHandling: string;
  readonly httpsRedirectStatusCode: number;
  readonly tags?: readonly string[];
  readonly createdAtS: number;
}

/** One destination of an upstream; a weight of 0 receives nothing. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

/** A named set of targets that a service's `host` may name. */
export interface Upstream {
  readonly name: string;
  readonly hostHeader?: string;
  readonly targets: readonly Target[];
}

/** One configured plugin and where it applies; no ids: everywhere. */
export interface PluginInstance {
  readonly id: string;
  readonly name: string;
  readonly serviceId?: string;
  readonly routeId?: string;
  /** Checked, with defaults filled in and references resolved. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Field path to `{vault://...}` for each reference that was resolved. */
  readonly references: Readonly<Record<string, string>>;
}

/** All that a declarative configuration says. */
export interface GatewayConfig {
  readonly services: readonly Service[];
  readonly routes: readonly Route[];
  readonly upstreams: readonly Upstream[];
  readonly plugins: readonly PluginInstance[];
  /** Hexadecimal MD5 of the file, as Kong's /status has a `configuration_hash` of 32 digits. */
  readonly hash: string;
  /** Sentences for the operator on what is ignored. */
  readonly warnings: readonly string[];
}
