// What is known of one Kong, from its answers one after another.
import type { KongAnswer } from './ask-kong';
import type { InstanceFacts, TargetFacts } from './kong-facts';
import { RunningTotal } from './running-total';

/** What became of a question. */
export const POLL_RESULTS = ['answered', 'without_metrics', 'unanswered'] as const;

export type PollResult = (typeof POLL_RESULTS)[number];

/**
 * Questions in a row that failed before a Kong counts as not reachable. One alone may be a lost packet, or a moment in which
 * nginx took no connection; two of them lie an interval apart, and no such moment lasts that long.
 */
export const FAILURES_UNTIL_AWAY = 2;

export class WatchedInstance {
  readonly url: string;
  /** Host and port. */
  readonly name: string;
  readonly #polls: Record<PollResult, number> = { answered: 0, without_metrics: 0, unanswered: 0 };
  #isReachable: boolean | undefined;
  #problem: string | undefined;
  #configurationHash: string | undefined;
  #targets: readonly TargetFacts[] = [];
  #failures = 0;
  #failuresOfMetrics = 0;
  #nginxRequests: number | undefined;
  readonly #served = new RunningTotal();

  constructor(url: string) {
    this.url = url;
    this.name = instanceName(url);
  }

  get facts(): InstanceFacts {
    return {
      instance: this.name,
      isReachable: this.#isReachable,
      configurationHash: this.#configurationHash,
      problem: this.#problem,
      targets: this.#targets,
    };
  }

  get polls(): Readonly<Record<PollResult, number>> {
    return this.#polls;
  }

  /** @returns what it has served since it was first asked; `undefined` where it did not say now */
  note({ isReachable, nginxRequests, configurationHash, metrics, problem }: KongAnswer): number | undefined {
    this.#problem = problem;
    if (!isReachable) {
      this.#polls.unanswered += 1;
      this.#failures += 1;
      if (this.#failures >= FAILURES_UNTIL_AWAY) this.#isReachable = false;
      return undefined;
    }
    this.#failures = 0;
    this.#isReachable = true;
    this.#configurationHash = configurationHash ?? this.#configurationHash;
    if (!metrics) {
      this.#polls.without_metrics += 1;
      this.#failuresOfMetrics += 1;
      if (this.#failuresOfMetrics >= FAILURES_UNTIL_AWAY) this.#targets = [];
      return undefined;
    }
    this.#polls.answered += 1;
    this.#failuresOfMetrics = 0;
    this.#targets = metrics.targets;
    // Before its first request Kong has no series of them. Its memory for metrics is new where nginx is.
    const requests = metrics.requests ?? 0;
    const hasRestarted =
      nginxRequests === undefined || this.#nginxRequests === undefined
        ? requests < (this.#served.last ?? 0)
        : nginxRequests < this.#nginxRequests;
    this.#nginxRequests = nginxRequests;
    return this.#served.read(requests, hasRestarted);
  }
}

/** Host and port of an address, the port also where it is the usual one. */
export function instanceName(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`;
}
