import { seriesKey, type Series } from '../../../kong-plugin/contract/delta';
import { OTHER } from '../../../kong-plugin/contract/label-text';
import { admit } from '../../../kong-plugin/contract/series-cap';
import { OK_SERIES } from '../../support/batches';

const CAP = 100;

/** Admits one after the other, as a store of series does. */
function admitAll(wanted: Iterable<Series>): Map<string, Series> {
  const kept = new Map<string, Series>();
  for (const series of wanted) {
    const admitted = admit(series, (one) => kept.has(seriesKey(one)), kept.size, CAP);
    kept.set(seriesKey(admitted), admitted);
  }
  return kept;
}

function* numbered(make: (number: number) => Partial<Series>): Generator<Series> {
  for (let number = 0; number < 10_000; number++) yield { ...OK_SERIES, ...make(number) };
}

describe('the series cap', () => {
  it('folds operations first, under the service they belong to', () => {
    const kept = [...admitAll(numbered((number) => ({ operation: `GET r${number}` }))).values()];
    expect(kept).toHaveLength(CAP + 1);
    expect(kept.at(-1)).toEqual({ ...OK_SERIES, operation: OTHER });
  });

  it('folds services when their folded operations are a tenth of it', () => {
    const kept = [...admitAll(numbered((number) => ({ service: `s${number}` }))).values()];
    expect(kept.filter(({ service, operation }) => operation === OTHER && service !== OTHER)).toHaveLength(
      10,
    );
    expect(kept.at(-1)).toEqual({ ...OK_SERIES, operation: OTHER, service: OTHER });
    expect(kept).toHaveLength(CAP + 11);
  });

  it('folds error types last, keeps status, source and severity, and calls no success an error', () => {
    const kept = [
      ...admitAll(
        numbered((number) => ({
          service: `s${number}`,
          operation: `GET r${number}`,
          errorType: number % 2 ? `e${number}` : '',
          status: 200 + (number % 3),
        })),
      ).values(),
    ];
    // Three statuses, with an error and without.
    expect(kept.length).toBeLessThanOrEqual(CAP * 1.2 + 6);
    expect(new Set(kept.slice(-3).map(({ status }) => status)).size).toBeGreaterThan(1);
    expect(kept.filter(({ errorType }) => errorType === OTHER).length).toBeGreaterThan(0);
    const fromSuccess = kept.filter(({ errorType }) => errorType === '');
    expect(fromSuccess.some(({ service }) => service === OTHER)).toBe(true);
  });

  it('lets a series be that is there already', () => {
    const known = { ...OK_SERIES, operation: 'GET known' };
    expect(admit(known, (series) => seriesKey(series) === seriesKey(known), 10 * CAP, CAP)).toEqual(known);
  });
});
