// What people are told of an outage with the rules and the policy that hold where a configuration says nothing: one message, not one
// for each service, neither when it begins nor after it is over.
import { DEFAULT_POLICY, DEFAULT_RULES } from '../../sidecar/config/default-config';
import { ruleOf } from '../../sidecar/config/rule-of';
import type { InstanceFacts, KongFacts } from '../../sidecar/kong/kong-facts';
import { EngineRun, many } from '../support/engine-run';
import { sampleDelta, sampleErrors } from '../support/sample-delta';

const MINUTE_MS = 60_000;
const SERVICES = Array.from({ length: 10 }, (_, index) => `s${index}`);
const FINE = SERVICES.map((service) => many(sampleDelta({ service }, [20]), 10));
const FAILED = SERVICES.map((service) => many(sampleErrors(service, [20]), 10));

function runOf(kong?: KongFacts): EngineRun {
  return new EngineRun({
    rules: DEFAULT_RULES.map(ruleOf),
    policy: { ...DEFAULT_POLICY },
    ...(kong && { kong }),
  });
}

function factsOf(isReachable: boolean): KongFacts {
  const instance: InstanceFacts = {
    instance: 'kong-1:8101',
    isReachable,
    configurationHash: undefined,
    problem: undefined,
    targets: [],
  };
  return { instances: [instance], observed: () => undefined };
}

describe('an outage of every service', () => {
  it('is one message that it fires and one that it is over', () => {
    const run = runOf();
    run.run(15 * MINUTE_MS, () => FINE);
    expect(run.run(20 * MINUTE_MS, () => FAILED)).toEqual(['slack: fired gateway_errors gateway critical']);
    expect(run.run(60 * MINUTE_MS, () => FINE)).toEqual(['slack: resolved gateway_errors gateway critical']);
  });

  it('is the same where the sidecar is started in the middle of it', () => {
    const run = runOf();
    expect(run.run(20 * MINUTE_MS, () => FAILED)).toEqual(['slack: fired gateway_errors gateway critical']);
    expect(run.run(60 * MINUTE_MS, () => FINE)).toEqual(['slack: resolved gateway_errors gateway critical']);
  });

  it('that leaves one service failing tells of that one, once the window has passed over the rest', () => {
    const run = runOf();
    run.run(15 * MINUTE_MS, () => FINE);
    run.run(20 * MINUTE_MS, () => FAILED);
    const oneFails = [...FAILED.slice(0, 1), ...FINE.slice(1)];
    expect(run.run(60 * MINUTE_MS, () => oneFails)).toEqual([
      'slack: resolved gateway_errors gateway critical',
      'slack: fired error_rate s0 critical',
    ]);
  });

  it('that is a Kong that does not answer is one message too, and so is its end', () => {
    const run = runOf(factsOf(true));
    run.run(90 * MINUTE_MS, () => FINE);
    run.kong = factsOf(false);
    expect(run.run(20 * MINUTE_MS)).toEqual(['slack: fired gateway_down gateway critical']);
    run.kong = factsOf(true);
    expect(run.run(30 * MINUTE_MS, () => FINE)).toEqual(['slack: resolved gateway_down gateway critical']);
  });
});
