import { mildestSeverityOf, thresholdsOf } from '../../../sidecar/rule/thresholds';
import {
  apdexRule,
  burnRateRule,
  kongUnreachableRule,
  targetUnhealthyRule,
  trafficAbsenceRule,
} from '../../support/sample-rules';

describe('the thresholds of a rule', () => {
  it('are those it was given, the mildest first', () => {
    const thresholds = [
      { severity: 'info', value: 0.95 },
      { severity: 'error', value: 0.8 },
    ] as const;
    const rule = apdexRule({ thresholds });
    expect(thresholdsOf(rule)).toEqual(thresholds);
    expect(mildestSeverityOf(rule)).toBe('info');
  });

  it('are the least factors of each severity for a burn rate', () => {
    expect(thresholdsOf(burnRateRule())).toEqual([
      { severity: 'warning', value: 1 },
      { severity: 'critical', value: 6 },
    ]);
    expect(mildestSeverityOf(burnRateRule())).toBe('warning');
  });

  it.each([kongUnreachableRule(), targetUnhealthyRule(), trafficAbsenceRule()])(
    'is its severity alone for $kind',
    (rule) => {
      expect(thresholdsOf({ ...rule, severity: 'error' })).toEqual([{ severity: 'error', value: 0 }]);
      expect(mildestSeverityOf({ ...rule, severity: 'error' })).toBe('error');
    },
  );
});
