import type {
  InstanceFacts,
  KongFacts,
  ObservedRequests,
  TargetFacts,
} from '../../../sidecar/kong/kong-facts';
import { isKongRule, isOfWatchedKong, judgeKong } from '../../../sidecar/rule/judge-kong';
import type { Verdict } from '../../../sidecar/rule/verdict';
import { GATEWAY, type Scope } from '../../../sidecar/window/scope';
import {
  errorRateRule,
  kongUnreachableRule,
  observedRatioRule,
  targetUnhealthyRule,
} from '../../support/sample-rules';

const INSTANCE: Scope = { level: 'instance', instance: 'kong:8101' };
const TARGET: Scope = { level: 'target', instance: 'kong:8101', upstream: 'shop', target: 'shop:80' };

function facts(instances: readonly Partial<InstanceFacts>[], observed?: ObservedRequests): KongFacts {
  return {
    instances: instances.map((instance) => ({
      instance: 'kong:8101',
      isReachable: true,
      configurationHash: undefined,
      problem: undefined,
      targets: [],
      ...instance,
    })),
    observed: () => observed,
  };
}

function target(healthy: number, unhealthy: number, changes: Partial<TargetFacts> = {}): TargetFacts {
  const addresses = (count: number, net: number): string[] =>
    Array.from({ length: count }, (_, index) => `10.0.${net}.${index}:80`);
  return {
    upstream: 'shop',
    target: 'shop:80',
    healthyAddresses: addresses(healthy, 0),
    unhealthyAddresses: addresses(unhealthy, 1),
    ...changes,
  };
}

const UNKNOWN: Partial<Verdict> = {
  state: 'cannot_tell',
  doubt: 'kong_unreachable',
  severity: undefined,
  value: undefined,
};
const BAD: Partial<Verdict> = {
  state: 'breached',
  doubt: undefined,
  severity: 'critical',
  value: 1,
  threshold: 0,
};
const GOOD: Partial<Verdict> = {
  state: 'healthy',
  doubt: undefined,
  severity: undefined,
  value: 0,
  threshold: 0,
};

describe('a Kong', () => {
  it.each<[string, Scope, string, boolean]>([
    ['is watched while it is among the facts', INSTANCE, 'kong:8101', true],
    ['is not when another is in its place', INSTANCE, 'other:8101', false],
    ['is watched with its targets, though it tells of none now', TARGET, 'kong:8101', true],
    ['is not, and nor are its targets, when another is in its place', TARGET, 'other:8101', false],
    ['is no matter for the gateway', GATEWAY, 'other:8101', true],
    ['is no matter for services', { level: 'service', service: 'shop' }, 'other:8101', true],
  ])('%s', (_, scope, instance, expected) => {
    expect(isOfWatchedKong(scope, facts([{ instance }]))).toBe(expected);
  });
});

describe('a rule of Kong that does not answer', () => {
  it.each<[string, Partial<InstanceFacts>[], Partial<Verdict>]>([
    ['is breached while it does not', [{ isReachable: false, problem: 'timeout' }], BAD],
    ['is healthy while it does', [{ isReachable: true }], GOOD],
    ['cannot tell before it was asked', [{ isReachable: undefined }], UNKNOWN],
    ['cannot tell of one that is not watched', [], UNKNOWN],
    ['knows one Kong from another', [{ instance: 'other:8101', isReachable: false }, {}], GOOD],
  ])('%s', (_, instances, expected) => {
    expect(judgeKong(kongUnreachableRule(), INSTANCE, facts(instances))).toMatchObject(expected);
  });
});

describe('a rule of a gateway of which no Kong answers', () => {
  const rule = kongUnreachableRule({ each: 'gateway' });
  const cases: [reachable: (boolean | undefined)[], verdict: Partial<Verdict>][] = [
    [[false], BAD],
    [[false, false], BAD],
    [[false, true], GOOD],
    [[undefined, true], GOOD],
    [[false, undefined], UNKNOWN],
    [[], UNKNOWN],
  ];
  it.each(cases)('with %j', (reachable, verdict) => {
    const instances = reachable.map((isReachable, index) => ({
      instance: `kong-${index}:8101`,
      isReachable,
    }));
    expect(judgeKong(rule, GATEWAY, facts(instances))).toMatchObject(verdict);
  });
});

describe('a rule of targets without a healthy address', () => {
  it.each<[string, Partial<InstanceFacts>, Partial<Verdict>]>([
    ['is breached where all addresses are unhealthy', { targets: [target(0, 2)] }, BAD],
    ['is healthy while one address is', { targets: [target(1, 2)] }, GOOD],
    ['is healthy where all are', { targets: [target(2, 0)] }, GOOD],
    ['is healthy where no address is judged', { targets: [target(0, 0)] }, GOOD],
    [
      'is breached by a name without an address',
      { targets: [target(0, 0, { unhealthyAddresses: ['dns_error'] })] },
      BAD,
    ],
    ['cannot tell while its Kong does not answer', { isReachable: false, targets: [target(0, 2)] }, UNKNOWN],
    ['cannot tell before its Kong was asked', { isReachable: undefined }, UNKNOWN],
    ['cannot tell where Kong says nothing of targets', {}, UNKNOWN],
    [
      'is healthy where Kong no longer has the target',
      { targets: [target(0, 2, { target: 'shop:81' })] },
      GOOD,
    ],
    ['knows one upstream from another', { targets: [target(0, 2, { upstream: 'pay' }), target(1, 0)] }, GOOD],
  ])('%s', (_, instance, expected) => {
    expect(judgeKong(targetUnhealthyRule(), TARGET, facts([instance]))).toMatchObject(expected);
  });

  it('knows one Kong from another', () => {
    const both = facts([{ instance: 'other:8101', targets: [target(0, 2)] }, { targets: [target(1, 0)] }]);
    expect(judgeKong(targetUnhealthyRule(), TARGET, both).state).toBe('healthy');
  });
});

describe('a rule of counted over served requests, of 99.9 %', () => {
  const rule = observedRatioRule();

  it.each<[string, number, number, Partial<Verdict>]>([
    ['is healthy just over the threshold', 9_991, 10_000, { state: 'healthy', value: 0.9991 }],
    ['is healthy at the threshold', 9_990, 10_000, { state: 'healthy', value: 0.999 }],
    ['is breached just under it', 9_989, 10_000, { state: 'breached', severity: 'critical', value: 0.9989 }],
    [
      'is breached where the plugin is silent',
      0,
      10_000,
      { state: 'breached', severity: 'critical', value: 0 },
    ],
    ['is healthy with more counted than served', 10_010, 10_000, { state: 'healthy', value: 1 }],
    [
      'has nothing to judge where none were served',
      0,
      0,
      { state: 'cannot_tell', doubt: 'no_requests', value: undefined },
    ],
    ['has nothing to judge where only we counted some', 5, 0, { state: 'cannot_tell', doubt: 'no_requests' }],
  ])('without a gate %s', (_, counted, served, expected) => {
    expect(judgeKong(rule, GATEWAY, facts([], { counted, served }))).toMatchObject({
      threshold: 0.999,
      samples: served,
      ...expected,
    });
  });

  it.each([0.9, 0.95, 0.99, 0.995, 0.9999])('without a gate is healthy at a threshold of %d too', (value) => {
    const other = observedRatioRule({ thresholds: [{ severity: 'error', value }] });
    const served = 1_000_000;
    const counted = Math.round(value * served);
    expect(judgeKong(other, GATEWAY, facts([], { counted, served })).state).toBe('healthy');
    expect(judgeKong(other, GATEWAY, facts([], { counted: counted - 1, served })).state).toBe('breached');
  });

  it('cannot tell where Kong does not', () => {
    expect(judgeKong(rule, GATEWAY, facts([]))).toMatchObject({ ...UNKNOWN, threshold: 0.999, samples: 0 });
  });

  it('cannot tell with fewer served than the minimum', () => {
    const few = facts([], { counted: 0, served: 99 });
    const verdict = judgeKong(observedRatioRule({ minimumRequests: 100 }), GATEWAY, few);
    expect(verdict).toMatchObject({ state: 'cannot_tell', doubt: 'too_few_requests', value: 0 });
  });

  // In 15 minutes 900,000 were served, 1,000 a second. 900 may be missing; 1.645 x sqrt(2 x 1,000 x 2) = 104.03 more by the reading.
  it.each<[string, number, Verdict['state']]>([
    ['is healthy at the threshold', 900, 'healthy'],
    ['cannot tell just under it', 901, 'cannot_tell'],
    ['cannot tell where the reading may explain it', 1_004, 'cannot_tell'],
    ['is breached where it cannot', 1_005, 'breached'],
  ])('with a gate of 95 %% %s', (_, missing, state) => {
    const gated = observedRatioRule({ confidence: 0.95 });
    const seen = facts([], { counted: 900_000 - missing, served: 900_000 });
    const doubt = state === 'cannot_tell' ? 'too_few_requests' : undefined;
    expect(judgeKong(gated, GATEWAY, seen)).toMatchObject({ state, doubt });
  });

  it('with a gate does not fire for one request that is missing', () => {
    const gated = observedRatioRule({ confidence: 0.95 });
    expect(judgeKong(gated, GATEWAY, facts([], { counted: 0, served: 1 })).state).toBe('cannot_tell');
    expect(judgeKong(gated, GATEWAY, facts([], { counted: 0, served: 2 })).state).toBe('breached');
  });
});

describe('the rules of Kong', () => {
  it('are told from those of the windows', () => {
    expect(
      [kongUnreachableRule(), targetUnhealthyRule(), observedRatioRule(), errorRateRule()].map(isKongRule),
    ).toEqual([true, true, true, false]);
  });
});
