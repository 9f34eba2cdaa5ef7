import fc from 'fast-check';
import { RE2JS } from 're2js';
import {
  isSelective,
  matcherFault,
  matches,
  matchesAll,
  parseMatcher,
  renderMatcher,
} from '../../../sidecar/config/matcher';
import { ALERT_LABELS, type AlertLabels, type Matcher } from '../../../sidecar/config/notification-policy';

const LABELS: AlertLabels = {
  rule: 'errors',
  kind: 'error_rate',
  level: 'operation',
  severity: 'warning',
  service: 'checkout',
  operation: 'GET checkout-show',
  error_type: '',
  instance: '',
  upstream: '',
  target: '',
};

function parsed(text: string): Matcher {
  const matcher = parseMatcher(text);
  if ('expected' in matcher) throw new Error(`expected ${matcher.expected}, found ${matcher.found}`);
  return matcher;
}

describe('a matcher', () => {
  it.each([
    ['service="checkout"', 'service', '=', 'checkout'],
    ['service=checkout', 'service', '=', 'checkout'],
    [' service != "checkout" ', 'service', '!=', 'checkout'],
    ['severity=~warning|info', 'severity', '=~', 'warning|info'],
    ['severity!~"warning|info"', 'severity', '!~', 'warning|info'],
    ['operation=GET checkout', 'operation', '=', 'GET checkout'],
    ['service=""', 'service', '=', ''],
    ['service=', 'service', '=', ''],
    ['service="a\\"b\\\\c\\nd"', 'service', '=', 'a"b\\c\nd'],
    ['service=~"v\\d+"', 'service', '=~', 'v\\d+'],
    ['service="a=~b"', 'service', '=', 'a=~b'],
    ['service=ends\\', 'service', '=', 'ends\\'],
  ])('is read from %s', (text, label, operator, value) => {
    expect(parseMatcher(text)).toEqual({ label, operator, value });
  });

  it.each([
    ['', 'a matcher such as'],
    ['service', 'a matcher such as'],
    ['="checkout"', 'a matcher such as'],
    ['team="checkout"', 'a matcher of one of rule, kind'],
    ['service="checkout', 'a value in one pair of double quotes'],
    ['service=check"out', 'a value in one pair of double quotes'],
    ['service="a" "b"', 'a value in one pair of double quotes'],
    ['service=~"("', "a regular expression in RE2's syntax (error parsing regexp"],
    ['service=~"(?=a)"', "a regular expression in RE2's syntax"],
    ['service=~"(((a?){1,9}){1,9}){1,9}b"', 'a regular expression that repeats less'],
    [`service=~"${'a'.repeat(501)}"`, 'a regular expression of at most 500 characters'],
    [`service="${'a'.repeat(1_001)}"`, 'a value of at most 1000 characters'],
  ])('is refused for %s', (text, expected) => {
    const fault = parseMatcher(text);
    expect('expected' in fault && fault.expected).toContain(expected);
  });

  it.each([
    ['service="checkout"', true],
    ['service="check"', false],
    ['service!="cart"', true],
    ['service!="checkout"', false],
    ['service=~"check"', false],
    ['service=~"check.*"', true],
    ['severity=~"info|warning"', true],
    ['severity=~"info|warn"', false],
    ['service!~"cart|till"', true],
    ['service!~"check.*"', false],
    ['target=""', true],
    ['target=~".*"', true],
    ['target=~".+"', false],
    ['service=~"(?i)CHECKOUT"', true],
  ])('%s holds for an alert of checkout: %s', (text, holds) => {
    expect(matches(parsed(text), LABELS)).toBe(holds);
    expect(matches(parsed(text), LABELS)).toBe(holds);
  });

  it('of several all must hold', () => {
    expect(matchesAll([parsed('service=checkout'), parsed('severity=warning')], LABELS)).toBe(true);
    expect(matchesAll([parsed('service=checkout'), parsed('severity=error')], LABELS)).toBe(false);
  });

  it('that came from elsewhere and cannot be used matches nothing', () => {
    const broken: Matcher = { label: 'service', operator: '!~', value: '(' };
    expect(matcherFault(broken)).toBeDefined();
    expect(matches(broken, LABELS)).toBe(false);
  });

  it('asks its expression once for each of thousands of services, whatever the round', () => {
    const asked = jest.spyOn(RE2JS.prototype, 'matches');
    const matcher = parsed('service=~".*-7"');
    const services = Array.from({ length: 5_000 }, (_, index) => `asked-${index}`);
    const round = (): number => services.filter((service) => matches(matcher, { ...LABELS, service })).length;
    const matching = round();
    expect(asked).toHaveBeenCalledTimes(services.length);
    expect([round(), round()]).toEqual([matching, matching]);
    expect(asked).toHaveBeenCalledTimes(services.length);
    asked.mockRestore();
  });

  it('does not ask it where the beginning tells already', () => {
    const asked = jest.spyOn(RE2JS.prototype, 'matches');
    const service = 'cart';
    expect(matches(parsed('service=~"checkout-.*"'), { ...LABELS, service })).toBe(false);
    expect(matches(parsed('service!~"checkout-.*"'), { ...LABELS, service })).toBe(true);
    expect(asked).not.toHaveBeenCalled();
    asked.mockRestore();
  });

  it('takes no time to speak of for what makes other engines hang', () => {
    const matcher = parsed('service=~"(a+)+b"');
    const before = process.cpuUsage();
    expect(matches(matcher, { ...LABELS, service: 'a'.repeat(1_000) })).toBe(false);
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(500);
  });

  it.each([
    ['inside', `service=x${' '.repeat(1_000_000)}x`],
    ['before', `${' '.repeat(1_000_000)}service=x`],
    ['after', `service=x${' '.repeat(1_000_000)}`],
  ])('of a million spaces %s is refused by its length, before its form is looked at', (_, text) => {
    expect(parseMatcher(text)).toMatchObject({ expected: 'a matcher of at most 2100 characters' });
  });

  it('may have the longest value with every character of it escaped', () => {
    const given: Matcher = { label: 'error_type', operator: '!=', value: '"'.repeat(1_000) };
    expect(parseMatcher(renderMatcher(given))).toEqual(given);
  });

  it.each([
    ['severity=crit', 'one of info, warning, error, critical'],
    ['kind!="latencyy"', 'one of '],
    ['level=srvice', 'one of '],
  ])('cannot be of a value that no alert has: %s', (text, expected) => {
    expect(parseMatcher(text)).toMatchObject({ expected: expect.stringContaining(expected) as string });
  });

  it('is taken apart as by one expression that allows spaces everywhere', () => {
    const written = fc.string({
      unit: fc.constantFrom('service', 'operation', 'a', ' ', '\n', '\u00a0', '=', '~', '!', '"', '\\'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(written, (text) => {
        const [, label, operator, value] = /^\s*([^\s=!~"]+)\s*(=~|!=|!~|=)\s*(.*?)\s*$/su.exec(text) ?? [];
        const read = parseMatcher(text);
        const isPlain = value !== undefined && !/["\\]/.test(value) && operator !== '=~' && operator !== '!~';
        if (isPlain && (label === 'service' || label === 'operation'))
          expect(read).toEqual({ label, operator, value });
        else if (label === undefined)
          expect('expected' in read && read.expected).toContain('a matcher such as');
      }),
    );
  });

  it('is written so that it is read again', () => {
    const matcher = fc.record({
      label: fc.constantFrom(
        ...ALERT_LABELS.filter((label) => !['kind', 'level', 'severity'].includes(label)),
      ),
      operator: fc.constantFrom('=' as const, '!=' as const),
      value: fc.string({
        unit: fc.constantFrom('a', '"', '\\', 'n', '\n', ' ', '=', '~', 'é'),
        maxLength: 12,
      }),
    });
    fc.assert(
      fc.property(matcher, (given) => {
        expect(parseMatcher(renderMatcher(given))).toEqual(given);
      }),
    );
  });

  it.each([
    ['service="checkout"', true],
    ['service=""', true],
    ['service!=""', true],
    ['service!="checkout"', false],
    ['service!~"checkout|cart"', false],
    ['service=~".*"', false],
    ['service=~".+"', true],
    ['service=~"(?s).*|x"', false],
    ['rule=~".+"', false],
    ['rule!=""', false],
    ['severity!="critical"', true],
    ['severity!~"none"', false],
    ['severity=~"info|warning|error|critical"', false],
    ['level=~"gateway|service|operation|error_type"', true],
    ['kind=~".+"', false],
  ])('%s picks alerts out: %s', (text, picks) => {
    expect(isSelective(parsed(text))).toBe(picks);
  });
});
