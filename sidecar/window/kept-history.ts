// Since when the windows have been kept as the rules need them. A reload that asks for a longer window, for another level or for
// another bound cannot bring back what was not kept: that fills up from then on.
import { WINDOW_LEVELS } from '../config/rule';
import { keepOf, timesKeepOf, type CountTierName, type WindowLevel, type WindowNeeds } from './window-needs';

/** How long back something is kept, and since when (Unix ms) it has been; 0 for ever. */
export interface Kept {
  readonly keepMs: number;
  readonly sinceMs: number;
}

/** As it is written down. */
export interface KeptRecord {
  /** With upstream times. */
  readonly cells: Kept;
  readonly levels: Readonly<Record<CountTierName, Readonly<Record<WindowLevel, Kept>>>>;
  /** Bound (ms) and since when it is counted by. */
  readonly bounds: Readonly<Record<CountTierName, readonly (readonly [boundMs: number, sinceMs: number])[]>>;
}

/** Of windows that are empty as yet, so that nothing is missing in them. */
export function keptFrom(needs: WindowNeeds): KeptRecord {
  const level =
    (tier: CountTierName) =>
    (name: WindowLevel): Kept => ({
      keepMs: keepOf(needs.levels[name][tier]),
      sinceMs: 0,
    });
  return {
    cells: { keepMs: timesKeepOf(needs), sinceMs: 0 },
    levels: { fine: byLevel(level('fine')), minutes: byLevel(level('minutes')) },
    bounds: {
      fine: needs.fineBoundsMs.map((boundMs) => [boundMs, 0]),
      minutes: needs.minuteBoundsMs.map((boundMs) => [boundMs, 0]),
    },
  };
}

/** The same once other needs hold from `nowMs` on. */
export function keptAfter(kept: KeptRecord, needs: WindowNeeds, nowMs: number): KeptRecord {
  const wanted = keptFrom(needs);
  const levels = (tier: CountTierName) =>
    byLevel((level) => lengthened(kept.levels[tier][level], wanted.levels[tier][level].keepMs, nowMs));
  // What was not counted by a bound in slots of 5 s is counted anew, as far back as every time is kept.
  const cellsSinceMs = Math.min(nowMs, sinceOf(kept.cells, nowMs));
  return {
    cells: lengthened(kept.cells, wanted.cells.keepMs, nowMs),
    levels: { fine: levels('fine'), minutes: levels('minutes') },
    bounds: {
      fine: boundsAfter(kept.bounds.fine, needs.fineBoundsMs, cellsSinceMs),
      minutes: boundsAfter(kept.bounds.minutes, needs.minuteBoundsMs, nowMs),
    },
  };
}

/** The same with other moments, such as those of another clock. */
export function withMoments(
  { cells, levels, bounds }: KeptRecord,
  momentOf: (ms: number) => number,
): KeptRecord {
  const one = ({ keepMs, sinceMs }: Kept): Kept => ({ keepMs, sinceMs: momentOf(sinceMs) });
  const list = (tier: CountTierName) =>
    bounds[tier].map(([boundMs, sinceMs]): readonly [number, number] => [boundMs, momentOf(sinceMs)]);
  return {
    cells: one(cells),
    levels: {
      fine: byLevel((level) => one(levels.fine[level])),
      minutes: byLevel((level) => one(levels.minutes[level])),
    },
    bounds: { fine: list('fine'), minutes: list('minutes') },
  };
}

/** Since when it has been counted by a bound; never, so far, by one that no rule has named. */
export function boundSinceMs(kept: KeptRecord, tier: CountTierName, boundMs: number): number {
  return kept.bounds[tier].find(([known]) => known === boundMs)?.[1] ?? Infinity;
}

function lengthened(kept: Kept, keepMs: number, nowMs: number): Kept {
  return { keepMs, sinceMs: keepMs > kept.keepMs ? sinceOf(kept, nowMs) : kept.sinceMs };
}

/** The oldest moment that is kept. */
function sinceOf({ keepMs, sinceMs }: Kept, nowMs: number): number {
  return Math.max(sinceMs, nowMs - keepMs);
}

function boundsAfter(
  known: KeptRecord['bounds']['fine'],
  wantedMs: readonly number[],
  newSinceMs: number,
): KeptRecord['bounds']['fine'] {
  return wantedMs.map((boundMs) => known.find(([bound]) => bound === boundMs) ?? [boundMs, newSinceMs]);
}

function byLevel<Value>(valueOf: (level: WindowLevel) => Value): Record<WindowLevel, Value> {
  return Object.fromEntries(WINDOW_LEVELS.map((level) => [level, valueOf(level)])) as Record<
    WindowLevel,
    Value
  >;
}
