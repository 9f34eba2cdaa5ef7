// In: the deltas of placed intervals. Out: what happened to every scope in the windows that the rules read, and how much of them is
// known. A round reads running sums: what comes in is added to them, the slots that leave a window are taken out of them.
// Only what the rules need is kept; what is later than all of that is counted in `lateRequests` and is in no window.
// The number of scopes is the ledger's concern: it folds names over its series cap before deltas come here.
import type { Delta } from '../../kong-plugin/contract/delta';
import { KnownTime } from './coverage';
import { keptAfter, keptFrom, withMoments, type KeptRecord } from './kept-history';
import type { Scope } from './scope';
import { WindowsOfScope, type ScopeViewOptions } from './scope-window-view';
import type { ScopeView } from './scope-view';
import { longestOf, type WindowLevel, type WindowNeeds } from './window-needs';
import { addToTiers, advanceTiers, copyTiers, createTiers, type WindowTiers } from './window-tiers';

export class ScopeWindows {
  /** Where the gaps of what is known are told of. */
  readonly known: KnownTime;
  #needs: WindowNeeds;
  #tiers: WindowTiers;
  #kept: KeptRecord;
  #nowMs: number;
  #lateRequests = 0;

  /** @param startedMs Unix ms; without a memory of earlier runs nothing is known of the time before */
  constructor(needs: WindowNeeds, startedMs: number) {
    this.known = new KnownTime(startedMs);
    this.#needs = needs;
    this.#tiers = createTiers(needs, startedMs);
    this.#kept = keptFrom(needs);
    this.#nowMs = startedMs;
  }

  /** Requests that came too late for every window, since the start. */
  get lateRequests(): number {
    return this.#lateRequests;
  }

  get needs(): WindowNeeds {
    return this.#needs;
  }

  /** For what reads or writes slots themselves. */
  get tiers(): WindowTiers {
    return this.#tiers;
  }

  get kept(): KeptRecord {
    return this.#kept;
  }

  /** The time that they have moved on to, Unix ms. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /**
   * Adds what happened at one time. Does not keep what it is given.
   * @param atMs Unix ms by the sidecar's own clock; a time after `nowMs` counts as `nowMs`
   */
  add(atMs: number, deltas: readonly Delta[], nowMs: number): void {
    const late = addToTiers(this.#tiers, Math.min(atMs, nowMs), deltas, nowMs);
    if (longestOf(this.#needs) > 0) this.#lateRequests += late;
  }

  /**
   * Moves on to another time: drops what no window can touch any more, and scopes of which nothing is left. Where the clock was set
   * back, what lies ahead of it is moved into the current slot, so that it neither vanishes nor returns when that time comes again.
   */
  advance(nowMs: number): void {
    if (nowMs === this.#nowMs) return;
    if (nowMs < this.#nowMs) this.#kept = withMoments(this.#kept, (ms) => Math.min(ms, nowMs));
    this.#nowMs = nowMs;
    advanceTiers(this.#tiers, nowMs);
    this.known.advance(nowMs, longestOf(this.#needs));
  }

  /** Those of a level that a rule reads, as far as anything of them is in a window. */
  scopes(level: WindowLevel): Iterable<Scope> {
    return this.#tiers.scopes.scopes(level);
  }

  /** What a rule sees of a scope at `nowMs`; holds until the next `add`, `advance` or `reconfigure`. */
  view(scope: Scope, nowMs: number, options: ScopeViewOptions = {}): ScopeView {
    this.advance(nowMs);
    return new WindowsOfScope(this.#tiers, this.#kept, this.known, nowMs, scope, options);
  }

  /** For a reload: what other rules need is kept from now on. A longer window fills up; until then it is not covered. */
  reconfigure(needs: WindowNeeds, nowMs: number): void {
    if (JSON.stringify(needs) === JSON.stringify(this.#needs)) return;
    this.advance(nowMs);
    const before = this.#tiers;
    this.#kept = keptAfter(this.#kept, needs, nowMs);
    this.#needs = needs;
    this.#tiers = createTiers(needs, nowMs);
    copyTiers(before, this.#tiers, nowMs);
  }

  /** For a memory of earlier runs: these windows were kept so until `savedMs`. */
  adoptHistory(kept: KeptRecord, savedMs: number): void {
    this.#kept = keptAfter(kept, this.#needs, savedMs);
  }
}
