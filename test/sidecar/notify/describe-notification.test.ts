import { describeDuration } from '../../../sidecar/notify/describe-duration';
import { describeNotification } from '../../../sidecar/notify/describe-notification';
import { apdexRule, errorRateRule, p95Rule } from '../../support/sample-rules';
import { sampleNotification, sampleResolved } from '../../support/sample-notification';

const WINDOW = { windowMs: 300_000 };

describe('the words of a notification', () => {
  it('say for a p95 what is wrong, for whom, how much, over how long, since when and by which rule', () => {
    expect(describeNotification(sampleNotification())).toEqual({
      title: 'High p95 latency: 812 ms on service slow',
      text:
        'The p95 latency of service slow is 812 ms in the last 5 minutes (1,204 requests), over the threshold of 500 ms. ' +
        'It has been so since 2026-03-01 10:00:00 UTC. Rule slow, severity critical.',
    });
  });

  it("keep the mission's form for an error rate", () => {
    const { title, text } = describeNotification(
      sampleNotification({
        rule: errorRateRule(WINDOW),
        service: 'checkout',
        verdict: { state: 'breached', value: 0.1234, threshold: 0.01, samples: 5_000 },
      }),
    );
    expect(title).toBe('High error rate: 12.3% on service checkout');
    expect(text).toContain('is 12.3% in the last 5 minutes (5,000 requests), over the threshold of 1%.');
  });

  it('say for an Apdex that it is under its threshold', () => {
    const { title, text } = describeNotification(
      sampleNotification({
        rule: apdexRule(WINDOW),
        verdict: { state: 'breached', value: 0.871, threshold: 0.95, samples: 1 },
      }),
    );
    expect(title).toBe('Low Apdex: 0.87 on service slow');
    expect(text).toContain('is 0.87 in the last 5 minutes (1 request), under the threshold of 0.95.');
  });

  it('say at the resolve how it is now and how long it lasted', () => {
    expect(describeNotification(sampleResolved())).toEqual({
      title: 'Resolved: p95 latency 120 ms on service slow',
      text:
        'The p95 latency of service slow is 120 ms in the last 5 minutes (1,310 requests), no longer over the threshold of 500 ms. ' +
        'It lasted 12 minutes, from 2026-03-01 10:00:00 UTC to 2026-03-01 10:12:00 UTC. Rule slow, severity critical.',
    });
  });

  it('do not claim a recovery when only the rule was removed', () => {
    const { verdict } = sampleNotification();
    const { title, text } = describeNotification(sampleResolved({ ruleRemoved: true, verdict }));
    expect(title).toBe('Resolved: the rule for p95 latency on service slow was removed');
    expect(text).toMatch(
      /^The configuration no longer has the rule, so whether service slow has recovered is not known\./,
    );
    expect(text).not.toContain('812');
  });

  it('name requests without a service', () => {
    expect(describeNotification(sampleNotification({ service: '' })).title).toBe(
      'High p95 latency: 812 ms on requests without a service',
    );
  });

  it.each([
    ['1.004% over 1%', errorRateRule(), 0.01004, 0.01, '1.004%', '1%'],
    ['1.0004% over 1%', errorRateRule(), 0.010004, 0.01, '1.0004%', '1%'],
    ['1% at 1%', errorRateRule(), 0.01, 0.01, '1%', '1%'],
    ['0.9496 under 0.95', apdexRule(), 0.9496, 0.95, '0.9496', '0.95'],
    ['0.94996 under 0.95', apdexRule(), 0.94996, 0.95, '0.94996', '0.95'],
    ['12,340 ms over 2,500 ms', p95Rule(), 12_340, 2_500, '12,340 ms', '2,500 ms'],
    ['100% over 0.5%', errorRateRule(), 1, 0.005, '100%', '0.5%'],
  ])('show that a value is not its threshold: %s', (_, rule, value, threshold, shown, shownThreshold) => {
    const verdict = { state: 'breached', value, threshold, samples: 9 } as const;
    const { title, text } = describeNotification(sampleNotification({ rule, verdict }));
    expect(title).toContain(`: ${shown} on service slow`);
    expect(text).toContain(`threshold of ${shownThreshold}.`);
  });

  it('stay on one line and of bounded length whatever the names hold', () => {
    const service = `a\nb\u202Ec\0d\r\n${'é'.repeat(5_000)}`;
    const rule = p95Rule({ name: 'r\n'.repeat(5_000) });
    const { title, text } = describeNotification(sampleNotification({ service, rule }));
    expect(title).toMatch(/^High p95 latency: 812 ms on service a b c d {2}é+…$/);
    expect(title.length).toBeLessThan(200);
    expect(text.length).toBeLessThan(600);
    expect(title + text).not.toMatch(/\p{Cc}|\p{Cf}/u);
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
