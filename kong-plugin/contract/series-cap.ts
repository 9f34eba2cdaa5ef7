// What happens to a new series when there are as many as allowed: its operation becomes `__other__`; when a tenth of the cap is
// used up by those as well, its service too; and after another tenth its error type, if it has one. Then only status, source
// and severity still tell series apart, which are few. Totals stay right; what is lost is only the distinction.
import { OTHER } from './label-text';
import type { Series } from './delta';

/** The folds in their order, each with the tenths of the cap up to which new series of that kind are taken. */
const FOLDS: readonly (readonly [fold: (series: Series) => Series, capTenths: number])[] = [
  [(series) => series, 10],
  [(series) => ({ ...series, operation: OTHER }), 11],
  [(series) => ({ ...series, operation: OTHER, service: OTHER }), 12],
];

/**
 * The series under which to count `wanted`.
 *
 * @param exists whether a series is there already
 * @param seriesCount how many there are
 */
export function admit(
  wanted: Series,
  exists: (series: Series) => boolean,
  seriesCount: number,
  seriesCap: number,
): Series {
  for (const [fold, capTenths] of FOLDS) {
    const folded = fold(wanted);
    if (seriesCount < (seriesCap * capTenths) / 10 || exists(folded)) return folded;
  }
  const errorType = wanted.errorType === '' ? '' : OTHER;
  return { ...wanted, operation: OTHER, service: OTHER, errorType };
}
