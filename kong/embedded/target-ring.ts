// In: weighted targets. Out: one after another, each as often as its weight says and spread as evenly as possible
// (smooth weighted round robin, as in nginx: the running weights of a full turn add up to zero).
import type { Target } from './kong-entities';

/** Remembers where it stands between requests. */
export class TargetRing {
  private readonly entries: { readonly target: Target; running: number }[];

  constructor(targets: readonly Target[]) {
    this.entries = targets.filter((target) => target.weight > 0).map((target) => ({ target, running: 0 }));
  }

  /** The next target among those accepted, or nothing where none is. */
  next(accepts: (target: Target) => boolean): Target | undefined {
    let best: { readonly target: Target; running: number } | undefined;
    let total = 0;
    for (const entry of this.entries) {
      if (!accepts(entry.target)) continue;
      entry.running += entry.target.weight;
      total += entry.target.weight;
      if (best === undefined || entry.running > best.running) best = entry;
    }
    if (best === undefined) return undefined;
    best.running -= total;
    return best.target;
  }
}
