import { kongFamilies } from '../../../sidecar/exposition/kong-families';
import { renderFamilies } from '../../../sidecar/exposition/render-families';
import type { InstanceFacts, KongFacts, ObservedRequests } from '../../../sidecar/kong/kong-facts';
import { parseSamples, type ScrapedSample } from '../../support/samples';

const WINDOW_MS = 900_000;

function factsWith(facts: Partial<InstanceFacts>, requests?: ObservedRequests): KongFacts {
  const targets = [
    {
      upstream: 'pool',
      target: 'a:80',
      healthyAddresses: ['10.0.0.1:80'],
      unhealthyAddresses: ['10.0.0.2:80'],
    },
    { upstream: 'pool', target: 'b:80', healthyAddresses: [], unhealthyAddresses: ['10.0.0.3:80'] },
  ];
  return {
    instances: [
      {
        instance: 'kong:8101',
        isReachable: true,
        configurationHash: undefined,
        problem: undefined,
        targets,
        ...facts,
      },
    ],
    observed: (windowMs) => (windowMs === WINDOW_MS ? requests : undefined),
  };
}

function samplesOf(facts: KongFacts, name: string): ScrapedSample[] {
  const text = [...renderFamilies(kongFamilies(facts, [], WINDOW_MS), 'text')].join('');
  return parseSamples(text).filter((sample) => sample.name === name);
}

function ratioOf(requests?: ObservedRequests): number | undefined {
  return samplesOf(factsWith({}, requests), 'gatewatch_observed_ratio')[0]?.value;
}

describe('the families of the watch of Kong', () => {
  it('tell the ratio of what was counted, also where more was counted than served', () => {
    expect(ratioOf({ counted: 999, served: 1_000 })).toBe(0.999);
    expect(ratioOf({ counted: 3_000, served: 1_000 })).toBe(3);
    expect(ratioOf({ counted: 0, served: 1_000 })).toBe(0);
  });

  it('have no ratio while it is not known or nothing was served', () => {
    expect(ratioOf()).toBeUndefined();
    expect(ratioOf({ counted: 0, served: 0 })).toBeUndefined();
  });

  it('tell whether a Kong is up, once that is known', () => {
    const up = (isReachable: boolean | undefined): number | undefined =>
      samplesOf(factsWith({ isReachable }), 'gatewatch_kong_up')[0]?.value;
    expect([up(true), up(false), up(undefined)]).toEqual([1, 0, undefined]);
  });

  it('take a target with one healthy address for healthy, and tell of none while Kong is not reachable', () => {
    const targets = samplesOf(factsWith({}), 'gatewatch_kong_target_healthy');
    expect(targets.map(({ labels, value }) => [labels['target'], value])).toEqual([
      ['a:80', 1],
      ['b:80', 0],
    ]);
    expect(samplesOf(factsWith({ isReachable: false }), 'gatewatch_kong_target_healthy')).toEqual([]);
  });

  it('have a name and a help each, in both formats', () => {
    const families = kongFamilies(
      factsWith({}),
      [{ instance: 'kong:8101', counts: { answered: 1, without_metrics: 0, unanswered: 0 } }],
      WINDOW_MS,
    );
    const text = [...renderFamilies(families, 'openmetrics')].join('');
    expect(text).toContain('# TYPE gatewatch_kong_polls counter\n');
    expect(text).toContain('gatewatch_kong_polls_total{instance="kong:8101",result="answered"} 1\n');
    expect(new Set(families.map(({ name }) => name)).size).toBe(4);
  });
});
