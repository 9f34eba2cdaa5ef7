// The windows in the plainest way: all that came in is kept as a list, and every answer is summed up from it anew.
import type { Delta } from '../../../kong-plugin/contract/delta';
import {
  countAtMost,
  emptyHistogram,
  mergeHistogram,
  type Histogram,
} from '../../../kong-plugin/contract/histogram';
import { WINDOW_LEVELS } from '../../../sidecar/config/rule';
import type { Scope } from '../../../sidecar/window/scope';
import type { ScopeView, WindowCounts } from '../../../sidecar/window/scope-view';
import {
  cellsKeepOf,
  keepOf,
  type CountTierName,
  type WindowLevel,
  type WindowNeeds,
} from '../../../sidecar/window/window-needs';

interface Kept {
  atMs: number;
  readonly delta: Delta;
}

interface Tier {
  readonly slotMs: number;
  readonly keepMs: number;
  readonly levels: readonly WindowLevel[];
  kept: Kept[];
}

type TierName = 'cells' | CountTierName;

export class WindowModel {
  readonly #tiers: Readonly<Record<TierName, Tier>>;
  readonly #all: readonly Scope[];

  /** @param all every scope that there may be */
  constructor(needs: WindowNeeds, all: readonly Scope[]) {
    this.#all = all;
    const counts = (name: CountTierName, slotMs: number): Tier => ({
      slotMs,
      keepMs: Math.max(...WINDOW_LEVELS.map((level) => keepOf(needs.levels[level][name]))),
      levels: WINDOW_LEVELS.filter((level) => needs.levels[level][name].length > 0),
      kept: [],
    });
    const levels = WINDOW_LEVELS.filter((level) => needs.levels[level].latencyMs.length > 0);
    this.#tiers = {
      cells: { slotMs: 5_000, keepMs: cellsKeepOf(needs), levels, kept: [] },
      fine: counts('fine', 5_000),
      minutes: counts('minutes', 60_000),
    };
  }

  add(atMs: number, deltas: readonly Delta[], nowMs: number): void {
    for (const tier of Object.values(this.#tiers)) {
      const added = deltas.map((delta) => ({ atMs: Math.min(atMs, nowMs), delta }));
      tier.kept.push(...added.filter((one) => touches(tier, one.atMs, nowMs, tier.keepMs, 0)));
    }
  }

  advance(nowMs: number): void {
    for (const tier of Object.values(this.#tiers)) {
      const slotEndMs = (Math.floor(nowMs / tier.slotMs) + 1) * tier.slotMs;
      for (const one of tier.kept) if (one.atMs >= slotEndMs) one.atMs = nowMs;
      tier.kept = tier.kept.filter(({ atMs }) => touches(tier, atMs, nowMs, tier.keepMs, 0));
    }
  }

  scopes(level: WindowLevel): Scope[] {
    return this.#all.filter((scope) => scope.level === level && this.#knows(scope));
  }

  view(scope: Scope, nowMs: number): Pick<ScopeView, 'counts' | 'latency'> {
    return {
      latency: (windowMs) => this.#latency(scope, windowMs, nowMs),
      counts: (windowMs, agoMs = 0) => this.#counts(scope, windowMs, agoMs, nowMs),
    };
  }

  #knows(scope: Scope): boolean {
    return Object.values(this.#tiers).some(
      ({ levels, kept }) =>
        levels.some((level) => level === scope.level) && kept.some(({ delta }) => isOf(delta, scope)),
    );
  }

  #latency(scope: Scope, windowMs: number, nowMs: number): Histogram {
    const sum = emptyHistogram();
    for (const { series, upstream } of this.#in('cells', windowMs, 0, nowMs, scope))
      if (![499, 502, 503].includes(series.status)) mergeHistogram(sum, upstream);
    return sum;
  }

  #counts(scope: Scope, windowMs: number, agoMs: number, nowMs: number): WindowCounts {
    const tier = windowMs <= 3_600_000 && agoMs === 0 ? 'fine' : 'minutes';
    const own = this.#in(tier, windowMs, agoMs, nowMs, scope);
    const errors = own.filter(({ series }) => series.severity === 'error');
    const samples = emptyHistogram();
    for (const { series, upstream } of own)
      if (series.severity !== 'error') mergeHistogram(samples, upstream);
    const all =
      scope.level === 'error_type'
        ? this.#in(tier, windowMs, agoMs, nowMs, { level: 'service', service: scope.service })
        : own;
    const total = (deltas: readonly Delta[]): number =>
      deltas.reduce((sum, { requests }) => sum + requests, 0);
    return {
      requests: total(all),
      errors: total(errors),
      samples: samples.count,
      atMost: (boundMs) => countAtMost(samples, boundMs),
    };
  }

  #in(name: TierName, windowMs: number, agoMs: number, nowMs: number, scope: Scope): Delta[] {
    const tier = this.#tiers[name];
    return tier.kept
      .filter(({ atMs, delta }) => touches(tier, atMs, nowMs, windowMs, agoMs) && isOf(delta, scope))
      .map(({ delta }) => delta);
  }
}

/** Whether the slot of a moment shares a ms with (now - ago - window, now - ago], and has ended by then where that is not now. */
function touches({ slotMs }: Tier, atMs: number, nowMs: number, windowMs: number, agoMs: number): boolean {
  const firstMs = Math.floor(atMs / slotMs) * slotMs;
  const lastMs = firstMs + slotMs - 1;
  const hasCome = agoMs === 0 ? firstMs <= nowMs : lastMs <= nowMs - agoMs;
  return windowMs > 0 && hasCome && lastMs > nowMs - agoMs - windowMs;
}

function isOf({ series }: Delta, scope: Scope): boolean {
  switch (scope.level) {
    case 'gateway':
      return true;
    case 'service':
      return series.service === scope.service;
    case 'operation':
      return series.service === scope.service && series.operation === scope.operation;
    case 'error_type':
      return series.service === scope.service && series.errorType === scope.errorType;
    default:
      return false;
  }
}
