// What the sidecar's parts can tell Sentry of the sidecar itself. Nothing here knows the SDK, which is loaded only where there
// is somebody to tell.

/** How an item ended; each ends in exactly one way. */
export const SENTRY_OUTCOMES = ['sent', 'held_back', 'rate_limited', 'failed'] as const;
export type SentryOutcome = (typeof SENTRY_OUTCOMES)[number];

/** Sentry's names for what an envelope holds. */
export const SENTRY_ITEMS = ['event', 'transaction', 'check_in', 'profile_chunk'] as const;
export type SentryItem = (typeof SENTRY_ITEMS)[number];

export type SentryCounts = Readonly<Record<SentryItem, Readonly<Record<SentryOutcome, number>>>>;

export interface OwnFault {
  readonly error: unknown;
  /** A few words of the code's own, such as `GET /metrics`; never from a client. */
  readonly place: string;
  /** The process ends by it. */
  readonly isFatal: boolean;
}

/** Sentry's words for work that failed and may succeed later, and for work that cannot until something is changed. */
export type WorkFailure = 'unavailable' | 'failed_precondition';

export interface TracedWork<Result> {
  /** Of low cardinality, and no secret; outgoing requests go by it, since their addresses are secrets. */
  readonly name: string;
  /** Sentry's kind of the work. */
  readonly op: string;
  readonly run: () => Promise<Result>;
  /** `undefined` where it succeeded. */
  readonly failureOf: (result: Result) => WorkFailure | undefined;
}

export interface OwnSentry {
  /** Since the start of the process. */
  readonly counts: SentryCounts;
  /** How much of the time for the end `stop` needs, ms. */
  readonly stopMs: number;
  /** Never throws. */
  report(fault: OwnFault): void;
  /** Runs a piece of work as a trace of its own, where it is sampled, and gives what it gives. */
  trace<Result>(work: TracedWork<Result>): Promise<Result>;
  /** Told of every round of the rules, and of how long it is from one to the next. */
  checkIn(round: {
    readonly durationMs: number;
    readonly failed: boolean;
    readonly intervalMs: number;
  }): void;
  /** Ends the profile and sends what is not sent yet; at most `timeoutMs`. Never rejects. */
  stop(timeoutMs: number): Promise<void>;
}

export function zeroCounts(): Record<SentryItem, Record<SentryOutcome, number>> {
  const zero = { sent: 0, held_back: 0, rate_limited: 0, failed: 0 };
  return { event: { ...zero }, transaction: { ...zero }, check_in: { ...zero }, profile_chunk: { ...zero } };
}

/** Where neither a DSN nor Spotlight is configured. */
export const NO_SENTRY: OwnSentry = {
  counts: zeroCounts(),
  stopMs: 0,
  report: () => undefined,
  trace: ({ run }) => run(),
  checkIn: () => undefined,
  stop: () => Promise.resolve(),
};
