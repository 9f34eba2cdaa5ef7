import type { RuleKind } from '../../../sidecar/config/rule';
import { formatThreshold, formatValue } from '../../../sidecar/rule/format-value';

describe('a value as a person reads it', () => {
  it.each<[RuleKind, number, string]>([
    ['latency', 1_234, '1,234 ms'],
    ['error_rate', 0.1234, '12.3%'],
    ['error_rate', 0.01, '1%'],
    ['error_rate', 1, '100%'],
    ['apdex', 0.9, '0.90'],
    ['apdex', 0.8765, '0.88'],
    ['traffic_drop', 0.805, '80.5%'],
    ['traffic_drop', 1, '100%'],
    ['burn_rate', 14.4, '14.4x'],
    ['burn_rate', 6, '6x'],
    ['burn_rate', 1_000, '1,000x'],
    ['observed_ratio', 0.99876, '99.88%'],
    ['observed_ratio', 0.5, '50%'],
    ['traffic_absence', 1, 'absent'],
    ['traffic_absence', 0, 'present'],
    ['kong_unreachable', 1, 'unreachable'],
    ['kong_unreachable', 0, 'reachable'],
    ['target_unhealthy', 1, 'unhealthy'],
    ['target_unhealthy', 0, 'healthy'],
  ])('of %s: %d is %s', (kind, value, text) => {
    expect(formatValue(kind, value)).toBe(text);
  });

  it('has more digits where they are asked for', () => {
    expect(formatValue('error_rate', 0.0100001, 5)).toBe('1.00001%');
    expect(formatValue('latency', 500.25, 1)).toBe('500.3 ms');
  });
});

describe('a threshold as a person reads it', () => {
  it.each<[RuleKind, number, string]>([
    ['latency', 500.5, '500.5 ms'],
    ['error_rate', 0.0125, '1.25%'],
    ['apdex', 0.9, '0.90'],
    ['apdex', 0.875, '0.875'],
    ['burn_rate', 14.4, '14.4x'],
    ['observed_ratio', 0.9995, '99.95%'],
  ])('of %s: %d is %s, with every digit', (kind, threshold, text) => {
    expect(formatThreshold(kind, threshold)).toBe(text);
  });
});
