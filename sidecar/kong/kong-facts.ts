// What the watch of Kong's status API knows.

export interface TargetFacts {
  readonly upstream: string;
  readonly target: string;
  /** Addresses that Kong would send to, and those that it would not. */
  readonly healthyAddresses: readonly string[];
  /** Unhealthy ones, and `dns_error` where the name has no address. */
  readonly unhealthyAddresses: readonly string[];
}

export interface InstanceFacts {
  /** Host and port of its status address. */
  readonly instance: string;
  /** `undefined` until it has answered, or failed to often enough. */
  readonly isReachable: boolean | undefined;
  /** Kong's hash of its configuration, as it last said; `undefined` where it did not (only a Kong without a database does). */
  readonly configurationHash: string | undefined;
  /** Why the last question was not answered, or not in full; without secrets. */
  readonly problem: string | undefined;
  /**
   * Empty where Kong does not tell (`upstream_health_metrics` of its prometheus plugin is off). While it is not reachable:
   * as they were when it was.
   */
  readonly targets: readonly TargetFacts[];
}

/**
 * Requests that had a service, in the same span of time: counted here, and served as Kong counts them. More may be counted
 * than served.
 */
export interface ObservedRequests {
  readonly counted: number;
  readonly served: number;
}

export interface KongFacts {
  readonly instances: readonly InstanceFacts[];
  /** Of all instances together; `undefined` where Kong does not tell, or has not for the whole window. */
  observed(windowMs: number): ObservedRequests | undefined;
}
