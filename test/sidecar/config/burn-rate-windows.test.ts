import { burnRateFactor, SRE_BURN_RATE_WINDOWS } from '../../../sidecar/config/burn-rate-windows';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('the burn rates of the SRE Workbook', () => {
  it('are those of its table 5-8', () => {
    expect(SRE_BURN_RATE_WINDOWS).toEqual([
      { severity: 'critical', longMs: HOUR_MS, shortMs: 5 * MINUTE_MS, factor: 14.4 },
      { severity: 'critical', longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS, factor: 6 },
      { severity: 'warning', longMs: 72 * HOUR_MS, shortMs: 6 * HOUR_MS, factor: 1 },
    ]);
  });

  it.each([
    ['2 % of 30 days in an hour', 0.02, HOUR_MS, 14.4],
    ['5 % in six hours', 0.05, 6 * HOUR_MS, 6],
    ['10 % in three days', 0.1, 72 * HOUR_MS, 1],
    ['all of it in 30 days', 1, 720 * HOUR_MS, 1],
  ])('come from the share of the budget: %s', (_, share, longMs, factor) => {
    expect(burnRateFactor(share, longMs)).toBe(factor);
  });

  it('have short windows of a twelfth', () => {
    for (const { longMs, shortMs } of SRE_BURN_RATE_WINDOWS) expect(longMs / shortMs).toBe(12);
  });
});
