import { alertmanagerDocument } from '../../../sidecar/channel/webhook/alertmanager-document';
import { slackMessage } from '../../../sidecar/channel/slack/slack-message';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
  sampleResolvedItem,
} from '../../support/sample-notification';
import { latencyRule } from '../../support/sample-rules';

describe("the webhook's document", () => {
  it("has every field of Alertmanager's version 4", () => {
    const labels = {
      alertname: 'slow',
      kind: 'latency',
      level: 'service',
      service: 'slow',
      severity: 'critical',
    };
    const annotations = {
      summary: 'CRITICAL: High p95 latency: 812 ms on service slow',
      description: expect.stringContaining('over the threshold of 500 ms') as string,
      value: '812',
      threshold: '500',
    };
    expect(alertmanagerDocument(sampleNotification(), 'pager')).toEqual({
      version: '4',
      groupKey: 'rule,service["slow","slow"]',
      truncatedAlerts: 0,
      status: 'firing',
      receiver: 'pager',
      groupLabels: { alertname: 'slow', service: 'slow' },
      commonLabels: labels,
      commonAnnotations: { ...annotations, title: annotations.summary },
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
    expect(document.commonLabels).toEqual({
      alertname: 'slow',
      kind: 'latency',
      level: 'service',
      severity: 'critical',
    });
    expect(document.groupLabels).toEqual({ alertname: 'slow' });
  });

  it('fires while one of its alerts does, and tells what all of them have in common', () => {
    const group = sampleGroup([sampleItem(), sampleResolvedItem({ service: 'b' })], {
      message: { leftOut: 3 },
    });
    const document = alertmanagerDocument(group, 'pager', 'https://gatewatch.example');
    expect(document).toMatchObject({
      status: 'firing',
      truncatedAlerts: 3,
      externalURL: 'https://gatewatch.example',
      alerts: [{ status: 'firing' }, { status: 'resolved' }],
    });
    expect(document.commonLabels).not.toHaveProperty('service');
  });

  it('has the links where receivers of Alertmanager look for them', () => {
    const links = [
      { name: 'runbook', url: 'https://r.example' },
      { name: 'prometheus', url: 'https://p.example/graph' },
    ] as const;
    const [alert] = alertmanagerDocument(sampleNotification({ item: { links } }), 'pager').alerts;
    expect(alert).toMatchObject({
      generatorURL: 'https://p.example/graph',
      annotations: { runbook_url: 'https://r.example' },
    });
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
        /^CRITICAL: High p95 latency: 812 ms on service slow\nThe p95 latency of service slow is 812 ms /,
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
    expect(slackMessage(sampleResolved()).text).toMatch(/^Resolved: p95 latency 120 ms on service slow\n/);
  });

  it.each([
    '<!channel>',
    '<@U123>',
    '<https://evil.example|click>',
    '&lt;!here&gt;',
    '*bold* _it_ `code` ~x~',
    ':fire:',
  ])('cannot be made to format, link or mention by a service named %s', (service) => {
    const message = slackMessage(sampleNotification({ service, rule: latencyRule({ name: service }) }));
    const escaped = service.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    expect(message.mrkdwn).toBe(false);
    expect(message.text).toContain(`on service ${escaped}\n`);
    for (const block of message.blocks) {
      expect(block).toMatchObject({ text: { type: 'plain_text', emoji: false } });
      expect(JSON.stringify(block)).toContain(JSON.stringify(`service ${escaped}`).slice(1, -1));
    }
    expect(JSON.stringify(message)).not.toMatch(/[<>]/);
  });

  it.each([0, 1, 2, 3, 4])(
    "stays within Slack's limits and cuts no entity in two, shifted by %i",
    (shift) => {
      const service = 'x'.repeat(shift) + '&'.repeat(3_000);
      const [header, section] = textsOf(slackMessage(sampleNotification({ service })));
      expect(header?.length).toBeLessThanOrEqual(150);
      expect(header).toMatch(/x*(&amp;)+…$/);
      expect(section?.length).toBeLessThanOrEqual(3_000);
    },
  );

  it('links to where people go next, by addresses that no name can break out of', () => {
    const links = [
      { name: 'dashboard', url: 'https://g.example/d?var=a&b=<x|y>' },
      { name: 'runbook', url: 'https://r.example/slow' },
    ] as const;
    expect(slackMessage(sampleNotification({ item: { links } })).blocks[2]).toEqual({
      type: 'context',
      elements: [
        {
          type: 'mrkdwn',
          text: '<https://g.example/d?var=a&amp;b=%3Cx%7Cy%3E|dashboard> · <https://r.example/slow|runbook>',
          verbatim: true,
        },
      ],
    });
  });

  it('has a section for each alert of a group, and no more blocks than Slack takes', () => {
    const links = [{ name: 'runbook', url: 'https://r.example/slow' }] as const;
    const items = Array.from({ length: 50 }, (_, index) =>
      sampleItem({ service: `s${index}`, item: { links } }),
    );
    const { blocks } = slackMessage(sampleGroup(items));
    expect(blocks.length).toBeLessThanOrEqual(50);
    expect(textsOf({ blocks })[1]).toMatch(/^CRITICAL: High p95 latency: 812 ms on service s0\nThe p95/);
    const rest = textsOf({ blocks }).at(-1)?.split('\n') ?? [];
    expect([rest[0], rest.length]).toEqual(['And 31 more:', 32]);
    const told = textsOf({ blocks }).join('\n');
    for (const { alert } of items)
      expect(told).toContain(
        `812 ms on service ${'service' in alert.scope ? alert.scope.service : ''}\n`.trim(),
      );
  });

  it('names of what has no room as many as fit, and says how many do not', () => {
    const items = Array.from({ length: 100 }, (_, index) =>
      sampleItem({ service: `${index}${'&'.repeat(90)}` }),
    );
    const { blocks } = slackMessage(sampleGroup(items));
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const text of textsOf({ blocks })) expect(text.length).toBeLessThanOrEqual(3_000);
    const [head = '', ...lines] = textsOf({ blocks }).at(-1)?.split('\n') ?? [];
    const [hidden, nameless] = [head, lines.at(-1) ?? ''].map((text) => Number(/\d+/.exec(text)?.[0]));
    expect(lines.length - 1 + (nameless ?? 0)).toBe(hidden);
    expect(nameless).toBeGreaterThan(0);
  });
});

function textsOf({ blocks }: Pick<ReturnType<typeof slackMessage>, 'blocks'>): string[] {
  return blocks.flatMap((block) => ('text' in block ? [block.text.text] : []));
}
