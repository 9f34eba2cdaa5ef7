// What a rule sees of one scope: what happened in windows that end now or some time ago, and how much of them is known.
import type { Histogram } from '../../kong-plugin/contract/histogram';
import type { Scope } from './scope';

/** What happened in a window, in exactly the terms of error rate and Apdex. */
export interface WindowCounts {
  /** Every request, whether it reached an upstream or not. Of an error type: every request of its service. */
  readonly requests: number;
  /** Requests of error severity. Of an error type: those of this type. */
  readonly errors: number;
  /** Requests that reached an upstream, without those of error severity: what is judged by its time. */
  readonly samples: number;
  /** How many of `samples` took at most so long, ms. @throws for a bound that no rule has named, where only counts are kept */
  atMost(boundMs: number): number;
}

/** How much of a window is known, each 0 to 1. A producer that is silent for a while takes nothing away: see CountedTime. */
export interface Coverage {
  /** The share in which the sidecar saw everything. */
  readonly covered: number;
  /** The share that is lost: it was away, and nobody has delivered what happened. The rest lies before the very first start. */
  readonly lost: number;
}

/** The time that counts are really of: whole slots, up to now. */
export interface CountedTime {
  readonly ms: number;
  /** The share, 0 to 1, in which the sidecar saw everything of every producer: one that is silent may have more to tell. */
  readonly covered: number;
}

export interface ScopeView {
  readonly scope: Scope;
  /** (now - agoMs - windowMs, now - agoMs]. Windows over one hour, and those that ended before, are told in whole minutes. */
  counts(windowMs: number, agoMs?: number): WindowCounts;
  /** What is to be divided by where counts are made into rates. The times of a window and of the one before it share nothing. */
  counted(windowMs: number, agoMs?: number): CountedTime;
  /** Upstream times without those of status 499, 502 and 503; of windows up to one hour. Not to be changed. */
  latency(windowMs: number): Histogram;
  /** @param boundMs for who asks `atMost` of it: where nothing was counted by that bound yet, all is lost for them */
  coverage(windowMs: number, agoMs?: number, boundMs?: number): Coverage;
}
