// The rim of the watch of Kong: asks every Kong at once, at every interval, and remembers what they said for as long as
// the longest window looks back. In: addresses, an interval, the clock. Out: facts, for rules and metrics.
//
// Rounds keep to a fixed grid from `start`. A round lasts as long as its slowest answer, `timeoutMs` at the most, and the
// next one comes at the next free point of the grid: so a Kong never has two questions to answer, and rounds never pile
// up.
import type { Logger } from 'pino';
import type { Clock } from '../clock';
import type { KongSettings } from '../config/notification-policy';
import type { KongAnswer } from './ask-kong';
import type { KongFacts } from './kong-facts';
import { MOST_OBSERVED_ROUNDS } from '../config/observed-span';
import { observedRequests, SETTLE_MS, slackMs, type Round } from './observed-requests';
import { RunningTotal } from './running-total';
import { instanceName, WatchedInstance, type PollResult } from './watched-instance';

export interface KongWatchParts {
  /** `askKong`. Must not reject. */
  readonly ask: (statusUrl: string, signal: AbortSignal) => Promise<KongAnswer>;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * How many requests that have a service were counted here: Kong's own counter holds no others. It should never go back,
   * as a sum over the ledger's series does when one leaves it: how much came up to the next reading is then not seen.
   */
  readonly countedRequests: () => number;
}

/** How the questions to one Kong ended, since the start. */
export interface KongPolls {
  readonly instance: string;
  readonly counts: Readonly<Record<PollResult, number>>;
}

/**
 * A sidecar counts only what plugins send to it: `statusUrls` must name all Kongs whose plugins report here, and no other. One
 * that is not named is counted and not served, which hides what others lose (a ratio over 1); one that reports elsewhere
 * is served and not counted. Each address must be that of one Kong: behind one that leads to several, counters jump.
 */
export class KongWatch {
  readonly #parts: KongWatchParts;
  #settings: KongSettings;
  #longestWindowMs: number;
  #instances: readonly WatchedInstance[];
  #rounds: Round<WatchedInstance>[] = [];
  readonly #counted = new RunningTotal();
  #isStarted = false;
  /** Ends the questions of the round that is on its way. */
  #asking: AbortController | undefined;
  /** The grid point (monotonic ms) of the last round. */
  #dueMs = 0;
  #cancelTimer: (() => void) | undefined;
  readonly #cancelsOfSettling = new Set<() => void>();

  /** @param longestWindowMs of those that `observed` will be asked for; see longestObservedMs */
  constructor(parts: KongWatchParts, settings: KongSettings, longestWindowMs: number) {
    this.#parts = parts;
    this.#settings = settings;
    this.#longestWindowMs = longestWindowMs;
    this.#instances = instancesOf(settings, []);
  }

  /** The first round begins at once. */
  start(): void {
    this.stop();
    this.#isStarted = true;
    this.#beginGrid();
  }

  /** Questions that are on their way are given up, and nothing is noted after this until `start`. What is known stays. */
  stop(): void {
    this.#isStarted = false;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#asking?.abort();
    this.#asking = undefined;
    for (const cancel of this.#cancelsOfSettling) cancel();
    this.#cancelsOfSettling.clear();
  }

  /** For a reload. What is known of a Kong that stays is kept; a new one is asked in the next round, now if none is running. */
  reconfigure(settings: KongSettings, longestWindowMs: number): void {
    const before = this.#instances;
    const isSameGrid = settings.intervalMs === this.#settings.intervalMs;
    this.#settings = settings;
    this.#longestWindowMs = longestWindowMs;
    this.#instances = instancesOf(settings, before);
    const isSame = isSameGrid && this.#instances.every((instance) => before.includes(instance));
    if (!this.#isStarted || this.#asking || isSame) return;
    this.#cancelTimer?.();
    this.#beginGrid();
  }

  facts(): KongFacts {
    return {
      instances: this.#instances.map(({ facts }) => facts),
      observed: (windowMs) => observedRequests(this.#rounds, windowMs, this.#settings.intervalMs),
    };
  }

  polls(): KongPolls[] {
    return this.#instances.map(({ name, polls }) => ({ instance: name, counts: polls }));
  }

  #beginGrid(): void {
    this.#dueMs = this.#parts.clock.monotonicMs();
    void this.#runRound();
  }

  #schedule(): void {
    const { clock } = this.#parts;
    const { intervalMs } = this.#settings;
    const lateMs = Math.max(0, clock.monotonicMs() - this.#dueMs);
    this.#dueMs += (1 + Math.floor(lateMs / intervalMs)) * intervalMs;
    const delayMs = Math.max(0, this.#dueMs - clock.monotonicMs());
    this.#cancelTimer = clock.after(delayMs, () => void this.#runRound());
  }

  async #runRound(): Promise<void> {
    const { ask, clock } = this.#parts;
    this.#cancelTimer = undefined;
    if (this.#instances.length === 0) return;
    const asking = new AbortController();
    this.#asking = asking;
    const cancelTimeout = clock.after(this.#settings.timeoutMs, () => asking.abort());
    const atMs = clock.monotonicMs();
    const countedBefore = this.#readCounted();
    const served = new Map<WatchedInstance, number>();
    let isCounting = false;
    await Promise.all(
      this.#instances.map(async (instance) => {
        const answer = await ask(instance.url, asking.signal);
        if (this.#asking !== asking || !this.#instances.includes(instance)) return;
        const total = this.#note(instance, answer);
        if (total !== undefined) served.set(instance, total);
        if (answer.metrics?.requests !== undefined) isCounting = true;
      }),
    );
    cancelTimeout();
    if (this.#asking !== asking) return;
    this.#asking = undefined;
    const isWhole =
      served.size > 0 &&
      this.#instances.every((instance) => instance.facts.isReachable === false || served.has(instance));
    const cancelSettling = clock.after(SETTLE_MS, () => {
      this.#cancelsOfSettling.delete(cancelSettling);
      const countedAfter = this.#readCounted();
      this.#keep({ atMs, served, isWhole, isCounting, countedBefore, countedAfter });
    });
    this.#cancelsOfSettling.add(cancelSettling);
    this.#schedule();
  }

  #note(instance: WatchedInstance, answer: KongAnswer): number | undefined {
    const { logger } = this.#parts;
    const { isReachable: wasReachable } = instance.facts;
    const total = instance.note(answer);
    const { isReachable, problem } = instance.facts;
    if (isReachable === false && wasReachable !== false) {
      logger.warn({ instance: instance.name, problem }, 'a Kong does not answer on its status address');
    } else if (isReachable === true && wasReachable === false) {
      logger.info({ instance: instance.name }, 'a Kong answers on its status address again');
    }
    return total;
  }

  #keep(round: Round<WatchedInstance>): void {
    const windowMs = this.#longestWindowMs;
    const oldestMs = round.atMs - windowMs - slackMs(windowMs, this.#settings.intervalMs);
    this.#rounds = [
      ...this.#rounds.slice(1 - MOST_OBSERVED_ROUNDS).filter(({ atMs }) => atMs >= oldestMs),
      round,
    ];
  }

  #readCounted(): number {
    return this.#counted.read(this.#parts.countedRequests(), false);
  }
}

/** Those that were there before stay the same ones. Of two addresses of one host and port the first is asked. */
function instancesOf(
  { statusUrls }: KongSettings,
  before: readonly WatchedInstance[],
): readonly WatchedInstance[] {
  const instances = new Map<string, WatchedInstance>();
  for (const url of statusUrls) {
    const name = instanceName(url);
    const known = before.find((instance) => instance.url === url);
    if (!instances.has(name)) instances.set(name, known ?? new WatchedInstance(url));
  }
  return [...instances.values()];
}
