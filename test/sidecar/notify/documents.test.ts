import { alertmanagerDocument } from '../../../sidecar/notify/alertmanager-document';
import { notificationOf } from '../../../sidecar/notify/notification-of-change';
import { slackMessage } from '../../../sidecar/notify/slack-message';
import { sampleNotification, sampleResolved, SAMPLE_STARTED_MS } from '../../support/sample-notification';
import { p95Rule } from '../../support/sample-rules';

describe('the notification of a change', () => {
  const alert = {
    rule: p95Rule(),
    service: 'shop',
    sinceMs: 5,
    verdict: { state: 'breached', value: 812, threshold: 500, samples: 9 },
  } as const;

  it('has one key for fired and resolved, and an end only where resolved', () => {
    const times = { startedMs: 5, atMs: 9, ruleRemoved: false };
    const fired = notificationOf({ kind: 'fired', alert: { ...alert, state: 'firing' }, ...times });
    const resolved = notificationOf({ kind: 'resolved', alert: { ...alert, state: 'inactive' }, ...times });
    expect(fired).toMatchObject({ status: 'firing', startedMs: 5, resolvedMs: undefined, service: 'shop' });
    expect(resolved).toMatchObject({ status: 'resolved', startedMs: 5, resolvedMs: 9 });
    expect(resolved.alertKey).toBe(fired.alertKey);
  });
});

describe("the webhook's document", () => {
  it("has every field of Alertmanager's version 4", () => {
    const labels = { alertname: 'slow', service: 'slow', severity: 'critical' };
    const annotations = {
      summary: 'High p95 latency: 812 ms on service slow',
      description: expect.stringContaining('over the threshold of 500 ms') as string,
      value: '812',
      threshold: '500',
    };
    expect(alertmanagerDocument(sampleNotification(), 'pager')).toEqual({
      version: '4',
      groupKey: '{}:{alertname="slow", service="slow"}',
      truncatedAlerts: 0,
      status: 'firing',
      receiver: 'pager',
      groupLabels: { alertname: 'slow', service: 'slow' },
      commonLabels: labels,
      commonAnnotations: annotations,
      externalURL: '',
      alerts: [
        {
          status: 'firing',
          labels,
          annotations,
          startsAt: '2026-03-01T10:00:00.000Z',
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: '',
          fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
        },
      ],
    });
  });

  it('is of the same alert and group when it resolves, with an end', () => {
    const firing = alertmanagerDocument(sampleNotification(), 'pager');
    const resolved = alertmanagerDocument(sampleResolved(), 'pager');
    expect(resolved.groupKey).toBe(firing.groupKey);
    expect(resolved.alerts[0]?.fingerprint).toBe(firing.alerts[0]?.fingerprint);
    expect(resolved).toMatchObject({
      status: 'resolved',
      alerts: [
        { status: 'resolved', startsAt: '2026-03-01T10:00:00.000Z', endsAt: '2026-03-01T10:12:00.000Z' },
      ],
    });
  });

  it('tells two alerts apart', () => {
    const fingerprintOf = (service: string) =>
      alertmanagerDocument(sampleNotification({ service }), 'pager').alerts[0]?.fingerprint;
    expect(fingerprintOf('a')).not.toBe(fingerprintOf('b'));
  });

  it('leaves out an empty label, as Alertmanager does', () => {
    const document = alertmanagerDocument(sampleNotification({ service: '' }), 'pager');
    expect(document.commonLabels).toEqual({ alertname: 'slow', severity: 'critical' });
    expect(document.groupKey).toBe('{}:{alertname="slow"}');
  });

  it('is valid JSON with the exact name whatever a name holds', () => {
    const service = '"}],\n\\\u0000<script>\ud800';
    const text = JSON.stringify(alertmanagerDocument(sampleNotification({ service }), 'pager'));
    const read = JSON.parse(text) as { commonLabels: { service: string } };
    expect(read.commonLabels.service).toBe(service);
  });
});

describe('the message for Slack', () => {
  it('says the severity first while it fires', () => {
    expect(slackMessage(sampleNotification())).toEqual({
      text: expect.stringMatching(
        /^CRITICAL: High p95 latency: 812 ms on service slow\. The p95 latency of service slow is 812 ms /,
      ) as string,
      mrkdwn: false,
      blocks: [
        {
          type: 'header',
          text: {
            type: 'plain_text',
            text: 'CRITICAL: High p95 latency: 812 ms on service slow',
            emoji: false,
          },
        },
        {
          type: 'section',
          text: {
            type: 'plain_text',
            text: expect.stringContaining('over the threshold of 500 ms') as string,
            emoji: false,
          },
        },
      ],
    });
  });

  it('begins with "Resolved" when it ends', () => {
    expect(slackMessage(sampleResolved()).text).toMatch(/^Resolved: p95 latency 120 ms on service slow\. /);
  });

  it.each([
    '<!channel>',
    '<@U123>',
    '<https://evil.example|click>',
    '&lt;!here&gt;',
    '*bold* _it_ `code` ~x~',
    ':fire:',
  ])('cannot be made to format, link or mention by a service named %s', (service) => {
    const message = slackMessage(sampleNotification({ service, rule: p95Rule({ name: service }) }));
    const escaped = service.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    expect(message.mrkdwn).toBe(false);
    expect(message.text).toContain(`on service ${escaped}. `);
    for (const { text } of message.blocks) {
      expect(text).toMatchObject({ type: 'plain_text', emoji: false });
      expect(text.text).toContain(`service ${escaped}`);
    }
    expect(JSON.stringify(message)).not.toMatch(/[<>]/);
  });

  it.each([0, 1, 2, 3, 4])(
    "stays within Slack's limits and cuts no entity in two, shifted by %i",
    (shift) => {
      const service = 'x'.repeat(shift) + '&'.repeat(3_000);
      const [header, section] = slackMessage(sampleNotification({ service })).blocks;
      expect(header?.text.text.length).toBeLessThanOrEqual(150);
      expect(header?.text.text).toMatch(/x*(&amp;)+…$/);
      expect(section?.text.text.length).toBeLessThanOrEqual(3_000);
    },
  );

  it('starts the alert at the time of the first breach', () => {
    expect(slackMessage(sampleNotification({ startedMs: SAMPLE_STARTED_MS + 5_000 })).text).toContain(
      'since 2026-03-01 10:00:05 UTC',
    );
  });
});
