// What happens to a new series when there are as many as allowed: its operation becomes `__other__`, and when a tenth of
// the cap is used up by those as well, its service too. Totals stay right; what is lost is only the distinction.
import type { Series } from '../../kong-plugin/contract/delta';

export const OTHER = '__other__';

/**
 * The series under which to count `wanted`.
 *
 * @param exists whether a series is in the ledger already
 * @param seriesCount how many there are
 */
export function admit(
  wanted: Series,
  exists: (series: Series) => boolean,
  seriesCount: number,
  seriesCap: number,
): Series {
  if (seriesCount < seriesCap || exists(wanted)) return wanted;
  const otherOperation = { ...wanted, operation: OTHER };
  if (seriesCount < seriesCap * 1.1 || exists(otherOperation)) return otherOperation;
  return { ...wanted, service: OTHER, operation: OTHER };
}
