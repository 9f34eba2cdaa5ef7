import type { Alert } from '../../../sidecar/alert/alert';
import { isSameLife } from '../../../sidecar/alert/same-life';
import { firingAlert } from '../../support/sample-alerts';
import { latencyRule } from '../../support/sample-rules';
import { verdictOf } from '../../support/sample-verdicts';

const ALERT: Alert = {
  ...firingAlert(),
  breachedSinceMs: { warning: 1_000 },
  acknowledgement: { by: 'ann', comment: '', atMs: 2_000 },
  firings: [1_000],
};

describe("an alert's life", () => {
  it('is the same whatever the latest round measured', () => {
    expect(isSameLife(ALERT, ALERT)).toBe(true);
    expect(isSameLife(ALERT, { ...ALERT, verdict: verdictOf('few') })).toBe(true);
  });

  it('is the same in a copy that is another object in each part', () => {
    const copy: Alert = {
      ...ALERT,
      scope: { ...ALERT.scope },
      breachedSinceMs: { ...ALERT.breachedSinceMs },
      acknowledgement: { by: 'ann', comment: '', atMs: 2_000 },
      firings: [...ALERT.firings],
    };
    expect(isSameLife(ALERT, copy)).toBe(true);
  });

  it.each<Partial<Alert>>([
    { rule: latencyRule({ name: 'another' }) },
    { scope: { level: 'service', service: 'another' } },
    { state: 'pending' },
    { severity: 'info' },
    { sinceMs: 7 },
    { breachedSinceMs: { warning: 7 } },
    { breachedSinceMs: {} },
    { firedMs: 7 },
    { healthySinceMs: 7 },
    { milderSinceMs: 7 },
    { unknownSinceMs: 7 },
    { resolvedMs: 7 },
    { acknowledgement: undefined },
    { acknowledgement: { by: 'ann', comment: 'on it', atMs: 2_000 } },
    { firings: [1_000, 7] },
    { isFlapping: true },
  ])('is another with %j', (change) => {
    expect(isSameLife(ALERT, { ...ALERT, ...change })).toBe(false);
    expect(isSameLife({ ...ALERT, ...change }, ALERT)).toBe(false);
  });
});
