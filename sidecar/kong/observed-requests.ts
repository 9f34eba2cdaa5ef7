// From what was read in each round to how many requests Kongs served and the sidecar counted in a window that ends now.
//
// Both counters run behind what happens: Kong's by up to 1 s (its workers add up what they counted once a second), the
// sidecar's by 1 to 2 s (a batch holds a second and has to come). Ours is therefore read twice, when Kong is asked and
// SETTLE_MS after its answer, and of both increases the larger is told: where traffic falls the second one lacks what
// came between at the beginning, where it rises the first one lacks it at the end. In even traffic both are right within
// about a second of requests, 0.1 % of 15 minutes, to either side: so one reading just under a threshold near 1 proves
// nothing, one that lasts does.
//
// A window begins and ends at rounds in which every Kong said how much it had served:
// - The end is the newest of the last three in which all that are reachable did, so that one lost answer does not matter.
//   A Kong that is not reachable adds what it had served when it last answered; if it serves on unseen, more is counted
//   than served.
// - The beginning must be known of each Kong that answered since: what one serves while it does not answer is in its
//   counter when it is back, also what came before a beginning within that hole. So the window begins before the hole,
//   and is that much longer, up to half as long again; where the hole is longer nothing is told until the window has left
//   it behind. The same holds for a Kong that is new here: nothing is told until it was watched for a whole window.
// - A Kong that restarts begins at 0; what it served between its last answer and its end is not known, as in Prometheus'
//   increase().
import { LATEST_OBSERVED_ROUNDS } from '../config/observed-span';
import type { ObservedRequests } from './kong-facts';

/** How long what was served up to an answer of Kong may still be on its way: a second to close a batch, one to deliver it. */
export const SETTLE_MS = 2_000;

export interface Round<Instance> {
  readonly atMs: number;
  /** What each had served since it was first asked, of those that said so. */
  readonly served: ReadonlyMap<Instance, number>;
  /** None of those that are reachable is missing. */
  readonly isWhole: boolean;
  /** Some Kong counts requests at all. */
  readonly isCounting: boolean;
  /** What was counted here when Kong was asked, and SETTLE_MS after the last answer. */
  readonly countedBefore: number;
  readonly countedAfter: number;
}

/** How much longer than asked for a window may be: where its beginning has no round, or lies in a hole. */
export function slackMs(windowMs: number, intervalMs: number): number {
  return Math.max(windowMs / 2, 2 * intervalMs);
}

/**
 * @param rounds in their order
 * @returns `undefined` where it is not known
 */
export function observedRequests<Instance>(
  rounds: readonly Round<Instance>[],
  windowMs: number,
  intervalMs: number,
): ObservedRequests | undefined {
  const endIndex = rounds.findLastIndex(({ isWhole }) => isWhole);
  const end = rounds[endIndex];
  if (end === undefined || endIndex < rounds.length - LATEST_OBSERVED_ROUNDS || !end.isCounting)
    return undefined;
  const beginMs = end.atMs - windowMs;
  const atEnd = new Map<Instance, number>();
  for (let index = endIndex; index >= 0; index--) {
    const round = rounds[index];
    if (round === undefined || round.atMs < beginMs - slackMs(windowMs, intervalMs)) return undefined;
    if (round.atMs <= beginMs) {
      const served = increase(round.served, atEnd);
      if (served !== undefined) return { served, counted: countedBetween(round, end) };
    }
    for (const [instance, total] of round.served) if (!atEnd.has(instance)) atEnd.set(instance, total);
  }
  return undefined;
}

/** Of all together; `undefined` where the beginning of one is not known. */
function increase<Instance>(
  atBegin: ReadonlyMap<Instance, number>,
  atEnd: ReadonlyMap<Instance, number>,
): number | undefined {
  let sum = 0;
  for (const [instance, total] of atEnd) {
    const before = atBegin.get(instance);
    if (before === undefined) return undefined;
    sum += total - before;
  }
  return sum;
}

function countedBetween<Instance>(begin: Round<Instance>, end: Round<Instance>): number {
  return Math.max(end.countedBefore - begin.countedBefore, end.countedAfter - begin.countedAfter);
}
