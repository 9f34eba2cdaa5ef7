// The three tiers that every delta goes to: each upstream time of the last minutes, counts in slots of 5 s up to an hour back, and
// counts in minutes for days.
import type { Delta } from '../../kong-plugin/contract/delta';
import { CellTier } from './cell-tier';
import { CountTier, type CountRow } from './count-tier';
import { addCounts, countsOf, emptyCounts, rebound, SAMPLES, type Counts } from './counts';
import { labelsText, ScopeRegistry } from './scope-registry';
import { FINE_SLOT_MS, MINUTE_SLOT_MS, slotAt } from './slots';
import { countsOfTally, judgedAs, tallyOf } from './tally';
import type { CountTierName, WindowNeeds } from './window-needs';

export interface WindowTiers {
  readonly scopes: ScopeRegistry;
  readonly cells: CellTier;
  readonly fine: CountTier;
  readonly minutes: CountTier;
}

/** Empty ones. */
export function createTiers(needs: WindowNeeds, nowMs: number): WindowTiers {
  const scopes = new ScopeRegistry();
  const { gateway, service, operation, error_type } = needs.levels;
  const tier = (name: CountTierName, slotMs: number, boundsMs: readonly number[]): CountTier => {
    const spansOf = {
      gateway: gateway[name],
      service: service[name],
      operation: operation[name],
      error_type: error_type[name],
    };
    return new CountTier({ name, slotMs, boundsMs, spansOf }, scopes, nowMs);
  };
  return {
    scopes,
    cells: new CellTier(needs, scopes, nowMs),
    fine: tier('fine', FINE_SLOT_MS, needs.fineBoundsMs),
    minutes: tier('minutes', MINUTE_SLOT_MS, needs.minuteBoundsMs),
  };
}

/** Returns how many of the requests are too late for every tier. @param atMs not after `nowMs` */
export function addToTiers(
  tiers: WindowTiers,
  atMs: number,
  deltas: readonly Delta[],
  nowMs: number,
): number {
  const { cells, fine, minutes } = tiers;
  const fineSlot = slotAt(atMs, FINE_SLOT_MS);
  const takers = [fine, minutes].filter((tier) => tier.keeps(slotAt(atMs, tier.slotMs), nowMs));
  const isInCells = cells.keeps(fineSlot, nowMs);
  let late = 0;
  for (const delta of deltas) {
    if (isInCells) {
      const judged = judgedAs(delta);
      cells.add(fineSlot, { labels: delta.series, judged, tally: tallyOf(delta, judged) });
    }
    for (const tier of takers)
      tier.add(slotAt(atMs, tier.slotMs), delta.series, countsOf(delta, tier.boundsMs));
    if (!isInCells && takers.length === 0) late += delta.requests;
  }
  return late;
}

export function advanceTiers({ cells, fine, minutes }: WindowTiers, nowMs: number): void {
  cells.advance(nowMs);
  fine.advance(nowMs);
  minutes.advance(nowMs);
}

/** Puts what other tiers hold into empty ones, as far as these keep it. */
export function copyTiers(from: WindowTiers, to: WindowTiers, nowMs: number): void {
  for (const slot of from.cells.changes.take().dropped) to.cells.changes.drop(slot);
  for (const slot of from.cells.slots()) {
    if (!to.cells.keeps(slot, nowMs)) to.cells.changes.drop(slot);
    else for (const row of from.cells.rowsAt(slot)) to.cells.add(slot, row);
  }
  for (const name of ['fine', 'minutes'] as const) {
    for (const slot of from[name].changes.take().dropped) to[name].changes.drop(slot);
    for (const slot of from[name].slots()) {
      if (!to[name].keeps(slot, nowMs)) to[name].changes.drop(slot);
      else addRows(to, name, slot, from[name].rowsAt(slot), from[name].boundsMs);
    }
  }
}

/**
 * Adds what one slot holds, counted by any bounds. Where the tier has others, it is counted by those from the upstream times
 * themselves, where all of them are kept.
 */
export function addRows(
  tiers: WindowTiers,
  name: CountTierName,
  slot: number,
  rows: readonly CountRow[],
  boundsMs: readonly number[],
): void {
  const tier = tiers[name];
  const isKnown = tier.boundsMs.every((boundMs) => boundsMs.includes(boundMs));
  const recounted = isKnown || name === 'minutes' ? undefined : recountSlot(tiers.cells, slot, tier.boundsMs);
  for (const { labels, counts } of rows) {
    const anew = recounted?.get(labelsText(labels));
    const isWhole = anew?.[SAMPLES] === counts[SAMPLES];
    tier.add(slot, labels, anew && isWhole ? anew : rebound(counts, boundsMs, tier.boundsMs));
  }
}

/** The counts of a slot from its upstream times, for labels that are told apart in any way. */
function recountSlot(cells: CellTier, slot: number, boundsMs: readonly number[]): Map<string, Counts> {
  const countsOfLabels = new Map<string, Counts>();
  for (const { labels, judged, tally } of cells.rowsAt(slot)) {
    const added = countsOfTally(tally, judged, boundsMs);
    for (const operation of [labels.operation, undefined]) {
      for (const errorType of [labels.errorType, undefined]) {
        const text = labelsText({ service: labels.service, operation, errorType });
        const counts = countsOfLabels.get(text) ?? emptyCounts(boundsMs);
        addCounts(counts, added, 1);
        countsOfLabels.set(text, counts);
      }
    }
  }
  return countsOfLabels;
}
