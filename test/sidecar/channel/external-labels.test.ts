// Two sidecars that tell the same receivers of services of the same names.
import { alertIdentity } from '../../../sidecar/notify/alert-identity';
import { pagerDutySettings, sentrySettings } from '../../support/channel-settings';
import { EVERY_CHANNEL, sentText } from '../../support/every-channel';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
} from '../../support/sample-notification';

const URL = 'http://127.0.0.1:1/';
const OURS = { externalLabels: { cluster: 'eu-1', stage: 'prod' } };
const THEIRS = { externalLabels: { cluster: 'us-2', stage: 'prod' } };

function valuesOf(text: string, key: string): string[] {
  return [...text.matchAll(new RegExp(`"${key}": ?"([^"]*)"`, 'g'))].map(([, value = '']) => value);
}

describe.each(EVERY_CHANNEL)('the labels of the sidecar, for %s', (_, settings) => {
  it('are in the title of an alert', () => {
    expect(sentText(settings, sampleNotification({ item: OURS }))).toContain(
      'High p95 latency: 812 ms on service slow (cluster eu-1, stage prod)',
    );
  });

  it('are none where the configuration has none', () => {
    expect(sentText(settings, sampleNotification())).not.toMatch(/812 ms on service slow \(/);
  });
});

describe('the labels of the sidecar', () => {
  it('stand beside what a group has in common', () => {
    const items = ['a', 'b'].map((service) => sampleItem({ service, item: OURS }));
    const group = sampleGroup(items, { message: { groupLabels: { rule: 'slow' } } });
    for (const [, settings] of EVERY_CHANNEL.filter(
      ([, { type }]) => !['pagerduty', 'alertmanager', 'sentry'].includes(type),
    ))
      expect(sentText(settings, group)).toContain('2 alerts fire (rule slow, cluster eu-1, stage prod)');
  });

  it('part the incidents of two sidecars in PagerDuty, and not what one tells of an alert', () => {
    const keyOf = (notification: ReturnType<typeof sampleNotification>): string[] =>
      valuesOf(sentText(pagerDutySettings(URL), notification), 'dedup_key');
    const ours = keyOf(sampleNotification({ item: OURS }));
    expect(keyOf(sampleResolved({ item: OURS }))).toEqual(ours);
    expect(keyOf(sampleNotification({ item: THEIRS }))).not.toEqual(ours);
  });

  it('part the issues of two sidecars in Sentry', () => {
    const issueOf = (item: typeof OURS): unknown[] => {
      const text = sentText(sentrySettings(), sampleNotification({ item }));
      return [
        valuesOf(text, 'event_id'),
        valuesOf(text, 'alert'),
        /"fingerprint":.*"environment"/.exec(text)?.[0],
      ];
    };
    const [ours, theirs] = [issueOf(OURS), issueOf(THEIRS)];
    for (const [index, fact] of ours.entries()) expect(fact).not.toEqual(theirs[index]);
    expect(sentText(sentrySettings(), sampleNotification({ item: OURS }))).toContain('"cluster":"eu-1"');
  });

  it('stand in any order for one issue of Sentry', () => {
    const [one, other] = [OURS, { externalLabels: { stage: 'prod', cluster: 'eu-1' } }].map((item) => {
      const text = sentText(sentrySettings(), sampleNotification({ item }));
      return [valuesOf(text, 'event_id'), /"fingerprint":.*"environment"/.exec(text)?.[0]];
    });
    expect(one?.[1]).toContain('cluster=eu-1');
    expect(one).toEqual(other);
  });

  it('make an identity in which their order says nothing', () => {
    const { alertKey } = sampleItem();
    const identities = [
      { cluster: 'eu-1', stage: 'prod' },
      { stage: 'prod', cluster: 'eu-1' },
    ].map((externalLabels) => alertIdentity({ alertKey, externalLabels }));
    expect(identities[0]).toBe(identities[1]);
    expect(identities[0]).toMatch(/^[0-9a-f]{16}$/);
  });
});
