import { judge } from '../../../../kong-plugin/sentry/decide/before-send';
import { readFingerprint, renderFingerprint } from '../../../../kong-plugin/sentry/decide/fingerprint';
import { readSentrySettings } from '../../../../kong-plugin/sentry/settings/read-sentry-settings';
import type { BeforeSendRule } from '../../../../kong-plugin/sentry/settings/sentry-settings';
import { observationOf } from '../../../support/observations';

const NOT_FOUND = observationOf({
  status: 404,
  source: 'client',
  errorType: 'route_not_found',
  severity: 'warning',
});

function rules(...list: object[]): readonly BeforeSendRule[] {
  const settings = readSentrySettings({ dsn: 'https://a@b/1', before_send: list }, '1', {});
  return settings?.standard.beforeSend ?? [];
}

describe('before_send', () => {
  it('leaves an event alone that no rule matches', () => {
    expect(judge([], NOT_FOUND)).toBeUndefined();
    expect(judge(rules({ status: 500, drop: true }), NOT_FOUND)).toBeUndefined();
  });

  it.each([
    { service: 'orders' },
    { operation: 'GET list' },
    { error_type: 'route_not_found' },
    { status: 404 },
    { source: 'client' },
    { severity: 'warning' },
  ])('drops what %j holds of, and not what one condition more does not hold of', (when) => {
    expect(judge(rules({ ...when, drop: true }), NOT_FOUND)).toBe('dropped');
    expect(
      judge(rules({ service: 'users', ...when, operation: 'x', drop: true }), NOT_FOUND),
    ).toBeUndefined();
  });

  it('rewrites by every rule that matches, the later one winning, and a drop wins over all', () => {
    const list = [
      { level: 'info', fingerprint: ['first'], tags: { team: 'a', kind: 'x' } },
      { status: 404, level: 'debug', tags: { team: 'b' } },
    ];
    expect(judge(rules(...list), NOT_FOUND)).toEqual({
      level: 'debug',
      fingerprint: ['first'],
      tags: { team: 'b', kind: 'x' },
    });
    expect(judge(rules({ drop: true }, ...list), NOT_FOUND)).toBe('dropped');
    expect(judge(rules(...list, { drop: true }), NOT_FOUND)).toBe('dropped');
  });
});

describe('a fingerprint', () => {
  it('has the values of the event in the place of its placeholders', () => {
    const template = readFingerprint(
      ['{service}', '{status}', 'fixed', '{source}', '{severity}', '{operation}', '{error_type}'],
      'x',
    );
    expect(renderFingerprint(template, { ...NOT_FOUND, operation: '' })).toEqual([
      ...['orders', '404', 'fixed', 'client', 'warning', '__unmatched__', 'route_not_found'],
    ]);
  });
});
