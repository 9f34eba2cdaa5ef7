import { ruleFor } from '../../../sidecar/rule/rule-for';
import { GATEWAY, type Scope } from '../../../sidecar/window/scope';
import { errorRateRule } from '../../support/sample-rules';

const SHOP: Scope = { level: 'service', service: 'shop' };
const CART: Scope = { level: 'operation', service: 'shop', operation: 'GET cart' };
const TIMEOUT: Scope = { level: 'error_type', service: 'shop', errorType: 'upstream_timeout' };

describe('the rule that holds for a scope', () => {
  it('is the rule where its level and labels fit', () => {
    const all = errorRateRule();
    expect(ruleFor(all, SHOP)).toBe(all);
    const one = errorRateRule({ match: { service: 'shop' } });
    expect(ruleFor(one, SHOP)).toBe(one);
    const each = errorRateRule({ each: 'error_type', match: { errorType: 'upstream_timeout' } });
    expect(ruleFor(each, TIMEOUT)).toBe(each);
  });

  it.each<[string, Scope]>([
    ['the gateway', GATEWAY],
    ['an operation', CART],
    ['an error type', TIMEOUT],
  ])('is none for %s where each service is meant', (_, scope) => {
    expect(ruleFor(errorRateRule(), scope)).toBeUndefined();
  });

  it('is none where a label differs', () => {
    expect(ruleFor(errorRateRule({ match: { service: 'pay' } }), SHOP)).toBeUndefined();
    const match = { service: 'shop', operation: 'GET pay' };
    expect(ruleFor(errorRateRule({ each: 'operation', match }), CART)).toBeUndefined();
  });

  it('is that of the first override that matches', () => {
    const [first, second] = [errorRateRule({ name: 'first' }), errorRateRule({ name: 'second' })];
    const rule = errorRateRule({
      overrides: [
        { match: { service: 'pay' }, rule: second },
        { match: { service: 'shop' }, rule: first },
        { match: { service: 'shop' }, rule: second },
      ],
    });
    expect(ruleFor(rule, SHOP)).toBe(first);
    expect(ruleFor(rule, { level: 'service', service: 'pay' })).toBe(second);
    expect(ruleFor(rule, { level: 'service', service: 'other' })).toBe(rule);
  });

  it('is none where an override says that it is not watched', () => {
    const rule = errorRateRule({ overrides: [{ match: { service: 'shop' }, rule: undefined }] });
    expect(ruleFor(rule, SHOP)).toBeUndefined();
    expect(ruleFor(rule, { level: 'service', service: 'pay' })).toBe(rule);
  });

  it('is none for a scope that the rule does not match, whatever its overrides', () => {
    const rule = errorRateRule({
      match: { service: 'pay' },
      overrides: [{ match: { service: 'shop' }, rule: errorRateRule() }],
    });
    expect(ruleFor(rule, SHOP)).toBeUndefined();
  });
});
