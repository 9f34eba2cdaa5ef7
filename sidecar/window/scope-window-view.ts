// What a rule sees of one scope, read from the tiers of slots at one time.
import { emptyHistogram, type Histogram } from '../../kong-plugin/contract/histogram';
import { atMost, emptyCounts, ERRORS, REQUESTS, SAMPLES, type Counts } from './counts';
import type { KnownTime } from './coverage';
import { boundSinceMs, type KeptRecord } from './kept-history';
import { scopeKey, type Scope } from './scope';
import type { ScopeNode } from './scope-registry';
import type { CountedTime, Coverage, ScopeView, WindowCounts } from './scope-view';
import { coveredTime, FINE_SLOT_MS, isFine, MINUTE_SLOT_MS, type WindowSpan } from './slots';
import type { WindowTiers } from './window-tiers';

export interface ScopeViewOptions {
  /** Of an error type: its requests count as errors whatever their severity; else only those of error severity. */
  readonly countsWarnings?: boolean;
}

export class WindowsOfScope implements ScopeView {
  readonly scope: Scope;
  readonly #tiers: WindowTiers;
  readonly #kept: KeptRecord;
  readonly #known: KnownTime;
  readonly #nowMs: number;
  readonly #node: ScopeNode | undefined;
  readonly #countsWarnings: boolean;

  constructor(
    tiers: WindowTiers,
    kept: KeptRecord,
    known: KnownTime,
    nowMs: number,
    scope: Scope,
    { countsWarnings = false }: ScopeViewOptions,
  ) {
    this.scope = scope;
    this.#tiers = tiers;
    this.#kept = kept;
    this.#known = known;
    this.#nowMs = nowMs;
    this.#node = tiers.scopes.find(scope);
    this.#countsWarnings = countsWarnings;
  }

  counts(windowMs: number, agoMs = 0): WindowCounts {
    const span = { windowMs, agoMs };
    const tier = isFine(span) ? this.#tiers.fine : this.#tiers.minutes;
    const own = [...this.#sumOf(this.#node, span)];
    const [requests = 0, errors = 0, samples = 0] = [own[REQUESTS], own[ERRORS], own[SAMPLES]];
    const at = { samples, atMost: (boundMs: number) => atMost(own, tier.boundsMs, boundMs) };
    if (this.scope.level !== 'error_type') return { requests, errors, ...at };
    const service = this.#tiers.scopes.find({ level: 'service', service: this.scope.service });
    const all = this.#sumOf(service, span)[REQUESTS] ?? 0;
    return { requests: all, errors: this.#countsWarnings ? requests : errors, ...at };
  }

  counted(windowMs: number, agoMs = 0): CountedTime {
    const span = { windowMs, agoMs };
    const slotMs = isFine(span) ? FINE_SLOT_MS : MINUTE_SLOT_MS;
    const { fromMs, toMs } = coveredTime(this.#nowMs, span, slotMs);
    const covered = this.#known.wholeShare(fromMs, toMs, this.#keptSinceMs(span));
    return { ms: Math.max(0, toMs - fromMs), covered };
  }

  latency(windowMs: number): Histogram {
    return this.#node ? this.#tiers.cells.latencyOf(this.#node, windowMs, this.#nowMs) : emptyHistogram();
  }

  coverage(windowMs: number, agoMs = 0, boundMs?: number): Coverage {
    const tier = isFine({ windowMs, agoMs }) ? 'fine' : 'minutes';
    const lostBeforeMs = boundMs === undefined ? 0 : boundSinceMs(this.#kept, tier, boundMs);
    const sinceMs = this.#keptSinceMs({ windowMs, agoMs });
    return this.#known.coverage(windowMs, agoMs, this.#nowMs, sinceMs, lostBeforeMs);
  }

  #keptSinceMs(span: WindowSpan): number {
    const { level } = this.scope;
    if (level === 'instance' || level === 'target') throw new Error(`${scopeKey(this.scope)} has no windows`);
    return this.#kept.levels[isFine(span) ? 'fine' : 'minutes'][level].sinceMs;
  }

  #sumOf(node: ScopeNode | undefined, span: WindowSpan): Counts {
    const tier = isFine(span) ? this.#tiers.fine : this.#tiers.minutes;
    return node ? tier.sumOf(node, span, this.#nowMs) : emptyCounts(tier.boundsMs);
  }
}
