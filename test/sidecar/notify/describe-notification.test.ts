import { alertId } from '../../../sidecar/alert/alert-key';
import { describeAlert } from '../../../sidecar/notify/describe-alert';
import { describeDuration } from '../../../sidecar/notify/describe-duration';
import { describeNotification, plainText } from '../../../sidecar/notify/describe-notification';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
  sampleResolvedItem,
  SAMPLE_STARTED_MS,
  type SampleChanges,
} from '../../support/sample-notification';
import {
  apdexRule,
  burnRateRule,
  errorRateRule,
  kongUnreachableRule,
  latencyRule,
  observedRatioRule,
  targetUnhealthyRule,
  trafficAbsenceRule,
  trafficDropRule,
} from '../../support/sample-rules';

const WINDOW = { windowMs: 300_000 };

function wordsOf(changes: SampleChanges = {}): { title: string; text: string } {
  const { title, sentences } = describeAlert(sampleItem(changes));
  return { title, text: sentences.join(' ') };
}

function wordsOfEnd(changes: SampleChanges = {}): { title: string; text: string } {
  const { title, sentences } = describeAlert(sampleResolvedItem(changes));
  return { title, text: sentences.join(' ') };
}

describe('the words on an alert', () => {
  it('say for a p95 what is wrong, for whom, how much, over how long, since when and by which rule', () => {
    expect(wordsOf()).toEqual({
      title: 'CRITICAL: High p95 latency: 812 ms on service slow',
      text:
        'The p95 latency of service slow is 812 ms in the last 5 minutes (1,204 requests), over the threshold of 500 ms. ' +
        'It has been so since 2026-03-01 10:00:00 UTC. Rule slow, severity critical. ' +
        `To acknowledge it: gatewatch ack ${alertId(sampleItem().alertKey)}`,
    });
  });

  it("keep the mission's form for an error rate, which is CRITICAL and carries its errors", () => {
    const { title, text } = wordsOf({
      rule: errorRateRule(WINDOW),
      service: 'checkout',
      verdict: { value: 0.1234, threshold: 0.01, samples: 5_000 },
      item: {
        evidence: {
          operations: [
            { service: 'checkout', operation: 'POST pay', requests: 900, errors: 600, p95Ms: 20 },
            { service: 'checkout', operation: '', requests: 40, errors: 17, p95Ms: undefined },
          ],
          errorTypes: [
            { errorType: 'upstream_timeout', requests: 1_204, errors: 1_204 },
            { errorType: 'upstream_unreachable', requests: 30, errors: 30 },
          ],
          addresses: [{ address: '10.0.0.7:8080', failures: 1_100 }],
        },
      },
    });
    expect(title).toBe('CRITICAL: High error rate: 12.3% on service checkout');
    expect(text).toContain('is 12.3% in the last 5 minutes (5,000 requests), over the threshold of 1%.');
    expect(text).toContain(
      'Worst operations: POST pay (600 of 900 failed), requests without a route (17 of 40 failed). ' +
        'Errors: 1,204 upstream_timeout, 30 upstream_unreachable. Failed upstream addresses: 10.0.0.7:8080 (1,100).',
    );
  });

  it('name the slowest operations where the rule is about times', () => {
    const operations = [{ service: 'slow', operation: 'GET a', requests: 1_000, errors: 0, p95Ms: 912 }];
    const { text } = wordsOf({ item: { evidence: { operations, errorTypes: [], addresses: [] } } });
    expect(text).toContain('Worst operations: GET a (p95 912 ms, 1,000 requests). Rule');
  });

  it('say for an Apdex that it is under its threshold', () => {
    const { title, text } = wordsOf({
      rule: apdexRule(WINDOW),
      verdict: { value: 0.871, threshold: 0.95, samples: 1 },
    });
    expect(title).toBe('CRITICAL: Low Apdex: 0.87 on service slow');
    expect(text).toContain('is 0.87 in the last 5 minutes (1 request), under the threshold of 0.95.');
  });

  it('say of a burn rate both of its windows', () => {
    const { title, text } = wordsOf({
      rule: burnRateRule(),
      verdict: {
        value: 16.25,
        threshold: 14.4,
        samples: 9,
        windows: { longMs: 3_600_000, shortMs: 300_000 },
      },
    });
    expect(title).toBe('CRITICAL: Error budget burns too fast: 16.3x on service slow');
    expect(text).toContain(
      'The burn rate of service slow is 16.3x in the last 1 hour and the last 5 minutes (9 requests), over the threshold of 14.4x.',
    );
  });

  const others: [SampleChanges, string, string][] = [
    [
      { rule: latencyRule({ quantile: 0.999, ...WINDOW }) },
      'High p99.9 latency: 812 ms on service slow',
      'The p99.9 latency of service slow',
    ],
    [
      {
        rule: errorRateRule({ each: 'error_type' }),
        alert: { scope: { level: 'error_type', service: 'slow', errorType: 'rate_limited' } },
        verdict: { value: 0.2, threshold: 0.1 },
      },
      'High rate of rate_limited: 20% on service slow',
      'The rate of rate_limited of service slow is 20%',
    ],
    [
      { alert: { scope: { level: 'operation', service: 'slow', operation: 'GET a' } } },
      'High p95 latency: 812 ms on GET a of service slow',
      'The p95 latency of GET a of service slow',
    ],
    [
      { alert: { scope: { level: 'gateway' } } },
      'High p95 latency: 812 ms on the gateway',
      'of the gateway is',
    ],
    [
      { rule: trafficDropRule(), verdict: { value: 0.62, threshold: 0.5 } },
      'Traffic dropped by 62% on service slow',
      'The loss of traffic of service slow is 62%',
    ],
    [
      { rule: trafficAbsenceRule(), verdict: { value: 1, threshold: 0 } },
      'No traffic on service slow',
      'Nothing came for service slow in the last 10 minutes; before, there was traffic.',
    ],
    [
      {
        rule: kongUnreachableRule(),
        alert: { scope: { level: 'instance', instance: 'kong:8101' } },
        verdict: { value: 1, threshold: 0 },
      },
      'Kong at kong:8101 does not answer',
      'Kong at kong:8101 does not answer on its status address.',
    ],
    [
      {
        rule: kongUnreachableRule({ each: 'gateway' }),
        alert: { scope: { level: 'gateway' } },
        verdict: { value: 1, threshold: 0 },
      },
      'No Kong answers',
      'No Kong answers on its status address.',
    ],
    [
      {
        rule: targetUnhealthyRule(),
        alert: { scope: { level: 'target', instance: 'kong:8101', upstream: 'pool', target: 'a:80' } },
        verdict: { value: 1, threshold: 0 },
      },
      'No healthy address for target a:80 of upstream pool',
      'Kong has no healthy address for target a:80 of upstream pool, and sends it nothing.',
    ],
    [
      {
        rule: observedRatioRule(),
        alert: { scope: { level: 'gateway' } },
        verdict: { value: 0.9876, threshold: 0.999 },
      },
      'Only 98.76% of the requests that Kong served were counted',
      'The counted share of requests of the gateway is 98.76%',
    ],
  ];
  it.each(others)('say what is wrong of each kind and scope: %#', (changes, title, text) => {
    const words = wordsOf(changes);
    expect(words.title).toBe(`CRITICAL: ${title}`);
    expect(words.text).toContain(text);
  });

  it('say that an alert is flapping, and what follows from it', () => {
    expect(wordsOf({ alert: { isFlapping: true, firings: [1, 2, 3, 4] } }).text).toContain(
      'It is flapping: it fired 4 times within 1 hour, and is resolved only after 15 minutes of calm.',
    );
  });

  it('say who acknowledged it, when and what they said', () => {
    const acknowledgement = { by: 'anna', comment: 'on it', atMs: SAMPLE_STARTED_MS + 60_000 };
    const words = wordsOf({ alert: { acknowledgement }, item: { occasion: 'acknowledged' } });
    expect(words.title).toBe('Acknowledged: High p95 latency: 812 ms on service slow');
    expect(words.text).toContain('Acknowledged by anna at 2026-03-01 10:01:00 UTC: on it.');
  });

  it.each([
    ['worsened', 'It got worse, and is critical now.'],
    ['escalated', 'Nobody has acknowledged it yet.'],
    ['repeated', 'It still fires.'],
  ] as const)('say why somebody is told again: %s', (occasion, sentence) => {
    expect(wordsOf({ item: { occasion } }).text).toContain(sentence);
  });

  it.each(['fired', 'escalated', 'worsened'] as const)(
    'say who acknowledged it to whoever hears of it only then: %s',
    (occasion) => {
      const acknowledgement = { by: 'anna', comment: '', atMs: SAMPLE_STARTED_MS + 180_000 };
      const { sentences } = describeAlert(sampleItem({ alert: { acknowledgement }, item: { occasion } }));
      expect(sentences).toContain('Acknowledged by anna at 2026-03-01 10:03:00 UTC.');
      expect(sentences).not.toContain('Nobody has acknowledged it yet.');
    },
  );

  it('say at the resolve how it is now and how long it lasted', () => {
    expect(wordsOfEnd()).toEqual({
      title: 'Resolved: p95 latency 120 ms on service slow',
      text:
        'The p95 latency of service slow is 120 ms in the last 5 minutes (1,310 requests), no longer over the threshold of 500 ms. ' +
        'It lasted 12 minutes, from 2026-03-01 10:00:00 UTC to 2026-03-01 10:12:00 UTC. Rule slow, severity critical.',
    });
  });

  it.each([
    ['rule_removed', 'whose rule was removed', 'The configuration no longer watches this, so whether'],
    ['not_observed', 'which can no longer be told', 'For a day there was too little to judge, so whether'],
    ['forgotten', 'which Gatewatch has forgotten', 'Gatewatch lost its memory of this alert, so whether'],
  ] as const)('do not claim a recovery that nobody saw: %s', (endReason, title, text) => {
    const words = wordsOfEnd({ verdict: { value: 812 }, item: { endReason } });
    expect(words.title).toBe(`Resolved: High p95 latency on service slow, ${title}`);
    expect(words.text).toContain(text);
    expect(words.text).not.toContain('812');
  });

  it('name requests without a service', () => {
    expect(wordsOf({ service: '' }).title).toBe(
      'CRITICAL: High p95 latency: 812 ms on requests without a service',
    );
  });

  it.each([
    ['1.004% over 1%', errorRateRule(), 0.01004, 0.01, '1.004%', '1%'],
    ['1.0004% over 1%', errorRateRule(), 0.010004, 0.01, '1.0004%', '1%'],
    ['1% at 1%', errorRateRule(), 0.01, 0.01, '1%', '1%'],
    ['0.9496 under 0.95', apdexRule(), 0.9496, 0.95, '0.9496', '0.95'],
    ['0.94996 under 0.95', apdexRule(), 0.94996, 0.95, '0.94996', '0.95'],
    ['12,340 ms over 2,500 ms', latencyRule(), 12_340, 2_500, '12,340 ms', '2,500 ms'],
    ['100% over 0.5%', errorRateRule(), 1, 0.005, '100%', '0.5%'],
  ])('show that a value is not its threshold: %s', (_, rule, value, threshold, shown, shownThreshold) => {
    const { title, text } = wordsOf({ rule, verdict: { value, threshold, samples: 9 } });
    expect(title).toContain(`: ${shown} on service slow`);
    expect(text).toContain(`threshold of ${shownThreshold}.`);
  });

  it('stay on one line and of bounded length whatever the names hold', () => {
    const service = `a\nb\u202Ec\0d\r\n${'é'.repeat(5_000)}`;
    const rule = latencyRule({ name: 'r\n'.repeat(5_000) });
    const { title, text } = wordsOf({ service, rule });
    expect(title).toMatch(/^CRITICAL: High p95 latency: 812 ms on service a b c d {2}é+…$/);
    expect(title.length).toBeLessThan(200);
    expect(text.length).toBeLessThan(600);
    expect(title + text).not.toMatch(/\p{Cc}|\p{Cf}/u);
  });
});

describe('the words of a message', () => {
  it('of one alert are those of the alert', () => {
    expect(describeNotification(sampleNotification()).title).toBe(
      'CRITICAL: High p95 latency: 812 ms on service slow',
    );
    expect(describeNotification(sampleResolved()).title).toBe('Resolved: p95 latency 120 ms on service slow');
  });

  it('of several say how many fire and how many have ended, the worst first, and what has no room', () => {
    const warning = { alert: { severity: 'warning' }, service: 'b' } as const;
    const group = sampleGroup([sampleItem(), sampleItem(warning), sampleResolvedItem({ service: 'c' })], {
      message: { groupLabels: { rule: 'slow' }, leftOut: 7, repeat: 2 },
    });
    const described = describeNotification(group);
    expect(described.title).toBe('CRITICAL: 2 alerts fire, 1 resolved, 7 more (rule slow)');
    expect(described.notes).toEqual(['7 more had no room in this message.', 'This is reminder 2.']);
    expect(plainText(described)).toMatch(
      /^CRITICAL: High p95 .*\nThe p95 [\s\S]*\n\nWARNING: High p95 [\s\S]*\n\nResolved: [\s\S]*\n\n7 more had/,
    );
  });

  it('of a digest say that it is one', () => {
    const digest = sampleGroup([sampleItem({ alert: { severity: 'info' } })], {
      message: { kind: 'digest', groupLabels: {} },
    });
    expect(describeNotification(digest).title).toBe('Digest: 1 alert fires');
  });
});

describe('a duration in words', () => {
  it.each([
    [0, 'less than a second'],
    [999, 'less than a second'],
    [1_000, '1 second'],
    [59_999, '59 seconds'],
    [60_000, '1 minute'],
    [90_000, '1 minute 30 seconds'],
    [300_000, '5 minutes'],
    [3_600_000, '1 hour'],
    [3_900_000, '1 hour 5 minutes'],
    [3_601_000, '1 hour 1 second'],
    [93_784_000, '1 day 2 hours'],
  ])('%i ms are %s', (durationMs, words) => {
    expect(describeDuration(durationMs)).toBe(words);
  });
});
