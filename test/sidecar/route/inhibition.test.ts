import { DEFAULT_INHIBITIONS } from '../../../sidecar/config/default-config';
import { parseMatcher } from '../../../sidecar/config/matcher';
import type {
  AlertLabel,
  AlertLabels,
  Inhibition,
  Matcher,
} from '../../../sidecar/config/notification-policy';
import { inhibitedAlerts, type Firing } from '../../../sidecar/route/inhibition';

const NONE = { operation: '', error_type: '', instance: '', upstream: '', target: '' };

function firing(key: string, labels: Partial<AlertLabels>): Firing {
  const all: AlertLabels = {
    ...NONE,
    rule: key,
    kind: 'latency',
    level: 'service',
    severity: 'critical',
    service: 'shop',
    ...labels,
  };
  return { key, severity: all.severity as Firing['severity'], labels: all };
}

function matcher(text: string): Matcher {
  const parsed = parseMatcher(text);
  if ('expected' in parsed) throw new Error(parsed.expected);
  return parsed;
}

function inhibition(source: string, target: string, equal: AlertLabel[] = ['service']): Inhibition {
  return { source: [matcher(source)], target: [matcher(target)], equal };
}

function hidden(inhibitions: readonly Inhibition[], ...alerts: Firing[]): object {
  return Object.fromEntries(inhibitedAlerts(inhibitions, alerts));
}

const BY_ERRORS = inhibition('kind=error_rate', 'kind=latency');

describe('an inhibition', () => {
  it('hides a target while its source fires', () => {
    const errors = firing('errors', { kind: 'error_rate' });
    const slow = firing('slow', {});
    expect(hidden([BY_ERRORS], errors, slow)).toEqual({ slow: 'errors' });
    expect(hidden([BY_ERRORS], slow)).toEqual({});
  });

  it('needs the same labels, of which two may be empty', () => {
    const errors = firing('errors', { kind: 'error_rate', service: 'cart' });
    expect(hidden([BY_ERRORS], errors, firing('slow', {}))).toEqual({});
    const byInstance = inhibition('kind=error_rate', 'kind=latency', ['instance']);
    expect(hidden([byInstance], errors, firing('slow', {}))).toEqual({ slow: 'errors' });
  });

  it('never hides the more severe of two', () => {
    const errors = firing('errors', { kind: 'error_rate', severity: 'warning' });
    expect(hidden([BY_ERRORS], errors, firing('slow', { severity: 'error' }))).toEqual({});
    expect(hidden([BY_ERRORS], errors, firing('slow', { severity: 'info' }))).toEqual({ slow: 'errors' });
  });

  it('lets no alert hide itself, nor two that are both source and target each other', () => {
    const all = inhibition('service=shop', 'service=shop');
    expect(hidden([all], firing('a', {}))).toEqual({});
    expect(hidden([all], firing('a', {}), firing('b', {}))).toEqual({});
    const one = inhibition('service=shop', 'severity=warning');
    const [a, b] = [firing('a', {}), firing('b', { severity: 'warning' })];
    expect(hidden([one], a, b)).toEqual({ b: 'a' });
  });

  it('reaches on through an alert that is itself hidden', () => {
    const chain = [inhibition('rule=a', 'rule=b'), inhibition('rule=b', 'rule=c')];
    expect(hidden(chain, firing('a', {}), firing('b', {}), firing('c', {}))).toEqual({ b: 'a', c: 'b' });
  });

  it('hides nothing where alerts would hide each other in a ring', () => {
    const ring = [
      inhibition('rule=a', 'rule=b'),
      inhibition('rule=b', 'rule=a'),
      inhibition('rule=b', 'rule=c'),
    ];
    const [a, b, c] = [firing('a', {}), firing('b', {}), firing('c', {})];
    expect(hidden(ring, a, b, c)).toEqual({});
    expect(hidden([...ring, inhibition('rule=d', 'rule=a')], a, b, c, firing('d', {}))).toEqual({
      a: 'd',
      b: 'a',
      c: 'b',
    });
  });

  it('takes the source that is severe enough', () => {
    const weak = firing('weak', { kind: 'error_rate', severity: 'warning' });
    const strong = firing('strong', { kind: 'error_rate', severity: 'critical' });
    const [error, info] = [firing('slow', { severity: 'error' }), firing('slower', { severity: 'info' })];
    expect(hidden([BY_ERRORS], weak, strong, error, info)).toEqual({ slow: 'strong', slower: 'weak' });
  });
});

describe('by default', () => {
  const down = firing('down', { kind: 'kong_unreachable', level: 'gateway', service: '' });

  it('a gateway that is down hides all that is behind it, and not another alert of the gateway', () => {
    const alerts = [
      firing('errors', { kind: 'error_rate' }),
      firing('one', { kind: 'kong_unreachable', level: 'instance', service: '', instance: 'kong:8101' }),
      firing('target', { kind: 'target_unhealthy', level: 'target', service: '', target: '10.0.0.1:80' }),
      firing('gateway', { kind: 'error_rate', level: 'gateway', service: '' }),
    ];
    expect(hidden(DEFAULT_INHIBITIONS, down, ...alerts)).toEqual({
      errors: 'down',
      one: 'down',
      target: 'down',
    });
  });

  it('one Kong of several that is down hides nothing', () => {
    const one = firing('one', { kind: 'kong_unreachable', level: 'instance', service: '', instance: 'a' });
    expect(hidden(DEFAULT_INHIBITIONS, one, firing('errors', { kind: 'error_rate' }))).toEqual({});
  });

  it('a service that fails or is silent hides that it is slow, and no other service', () => {
    const slow = firing('slow', {});
    const operation = firing('operation', { level: 'operation', operation: 'GET shop' });
    const other = firing('other', { service: 'cart' });
    const errors = firing('errors', { kind: 'error_rate' });
    expect(hidden(DEFAULT_INHIBITIONS, errors, slow, operation, other)).toEqual({
      slow: 'errors',
      operation: 'errors',
    });
    const silent = firing('silent', { kind: 'traffic_absence' });
    expect(hidden(DEFAULT_INHIBITIONS, silent, slow)).toEqual({ slow: 'silent' });
    const mild = firing('mild', { kind: 'error_rate', severity: 'warning' });
    expect(hidden(DEFAULT_INHIBITIONS, mild, firing('slow', { severity: 'info' }))).toEqual({});
  });
});
