import { renderWebhookBody } from '../../../../sidecar/channel/webhook/webhook-body';
import { variablesOf } from '../../../../sidecar/channel/webhook/variables-of';
import { TEMPLATE_SAMPLE } from '../../../../sidecar/config/channel/template-sample';
import type { Notification } from '../../../../sidecar/notify/notification';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
  sampleResolvedItem,
} from '../../../support/sample-notification';
import {
  burnRateRule,
  kongUnreachableRule,
  observedRatioRule,
  targetUnhealthyRule,
  trafficAbsenceRule,
} from '../../../support/sample-rules';

function written(text: string, notification: Notification, contentType = 'text/plain'): string {
  const content = { kind: 'template', file: 'own.liquid', text, contentType } as const;
  const result = renderWebhookBody(content, notification, {
    receiver: 'hook',
    externalUrl: 'https://g.example',
  });
  return 'problem' in result ? `problem: ${result.problem}` : result.body;
}

/** Every name that there is, and whether it is a text, a number, ... */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return value === null ? 'number' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]));
}

describe('what a template is given', () => {
  it('is the message in words and in numbers', () => {
    const links = [{ name: 'runbook', url: 'https://r.example/slow' }] as const;
    const group = sampleGroup([sampleItem({ item: { links } }), sampleResolvedItem({ service: 'b' })], {
      message: { id: 'message', leftOut: 3, firing: 7, repeat: 2 },
    });
    expect(variablesOf(group, 'hook', 'https://g.example')).toMatchObject({
      id: 'message',
      kind: 'group',
      status: 'firing',
      severity: 'critical',
      title: 'CRITICAL: 1 alert fires, 1 resolved, 3 more (rule slow, service slow)',
      text: expect.stringContaining('runbook: https://r.example/slow') as string,
      notes: ['3 more had no room in this message.', 'This is reminder 2.'],
      receiver: 'hook',
      groupLabels: { alertname: 'slow', service: 'slow', operation: '' },
      commonLabels: { alertname: 'slow', service: '', severity: 'critical' },
      externalURL: 'https://g.example',
      createdAt: '2026-03-01T10:00:00.000Z',
      firing: 7,
      repeat: 2,
      truncatedAlerts: 3,
      alerts: [
        {
          status: 'firing',
          occasion: 'fired',
          severity: 'critical',
          title: 'CRITICAL: High p95 latency: 812 ms on service slow',
          labels: { alertname: 'slow', kind: 'latency', level: 'service', service: 'slow', operation: '' },
          startsAt: '2026-03-01T10:00:00.000Z',
          endsAt: '',
          value: 812,
          threshold: 500,
          valueText: '812 ms',
          thresholdText: '500 ms',
          fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
          links,
          link: { runbook: 'https://r.example/slow', dashboard: '' },
        },
        { status: 'resolved', endsAt: '2026-03-01T10:12:00.000Z', links: [], link: { runbook: '' } },
      ],
    });
  });

  it.each<[string, Notification]>([
    ['of one alert', sampleNotification()],
    ['that ends', sampleResolved()],
    ['without a number', sampleNotification({ rule: trafficAbsenceRule(), verdict: { value: undefined } })],
    [
      'of a Kong that is away',
      sampleNotification({
        rule: kongUnreachableRule(),
        alert: { scope: { level: 'instance', instance: 'kong:8100' } },
        verdict: { value: undefined },
      }),
    ],
    [
      'of a target without addresses',
      sampleNotification({
        rule: targetUnhealthyRule(),
        alert: { scope: { level: 'target', instance: 'kong:8100', upstream: 'u', target: 't' } },
        verdict: { value: undefined },
      }),
    ],
    ['of a budget', sampleNotification({ rule: burnRateRule() })],
    [
      'of the gateway',
      sampleNotification({ rule: observedRatioRule(), alert: { scope: { level: 'gateway' } } }),
    ],
    [
      'that is a digest',
      sampleGroup([sampleItem(), sampleResolvedItem()], { message: { kind: 'digest', groupLabels: {} } }),
    ],
  ])(
    'has the same names in a message %s as in the sample on which a template is tried',
    (_, notification) => {
      const shape = shapeOf(variablesOf(notification, 'hook', '')) as Record<string, unknown>;
      const sample = shapeOf(TEMPLATE_SAMPLE) as Record<string, unknown>;
      const withoutLists = (object: Record<string, unknown>) => ({
        ...object,
        notes: [],
        externalLabels: [],
        alerts: (object['alerts'] as Record<string, unknown>[]).map((alert) => ({ ...alert, links: [] })),
      });
      expect(withoutLists(shape)).toEqual(withoutLists(sample));
    },
  );

  it('is not changed by a template', () => {
    const notification = sampleNotification();
    const before = JSON.stringify(variablesOf(notification, 'a', ''));
    written('{% assign alerts = "gone" %}{{ alerts }}{% increment firing %}', notification);
    expect(JSON.stringify(variablesOf(notification, 'a', ''))).toBe(before);
  });
});

describe("a user's template", () => {
  it('writes its own document', () => {
    const text =
      '{"text": {{ title | json }}, "ids": [{% for a in alerts %}"{{ a.fingerprint }}"{% endfor %}]}';
    const notification = sampleNotification({ service: '"}{' });
    expect(JSON.parse(written(text, notification, 'application/json'))).toEqual({
      text: 'CRITICAL: High p95 latency: 812 ms on service "}{',
      ids: [expect.stringMatching(/^[0-9a-f]{16}$/)],
    });
  });

  it('has filters for limits and for Markdown beside those of Liquid', () => {
    const text =
      '{{ title | truncate_to: 12 }}|{{ title | discord_escape }}|{{ "http://a/(b)" | link_url }}|{{ "\u00e9\\"" | json_size }}';
    expect(written(text, sampleNotification({ service: 'a_b' }))).toBe(
      'CRITICAL: H…|CRITICAL: High p95 latency: 812 ms on service a\\_b|http://a/%28b%29|8',
    );
  });

  it('writes times in UTC wherever it runs', () => {
    expect(written("{{ alerts[0].startsAt | date: '%H:%M %z' }}", sampleNotification())).toBe('10:00 +0000');
  });

  it.each([
    ['a name that is not there', 'a\nb {{ titel }}', 'line 2, column 6: there is no variable titel'],
    [
      'one of an alert',
      '{% for alert in alerts %}{{ alert.titel }}{% endfor %}',
      'line 1, column 29: there is no variable alert.titel',
    ],
    [
      'a label that is none',
      '{{ alerts[0].labels.team }}',
      'line 1, column 4: there is no variable alerts.0.labels.team',
    ],
    [
      'an alert that is not there',
      '{{ alerts[1].title }}',
      'line 1, column 4: there is no variable alerts.1',
    ],
    ['a filter that is not there', '{{ title | upper }}', 'line 1, column 1: there is no filter upper'],
    ['another file', '{% include "/etc/passwd" %}', 'line 1, column 1: there is no tag include'],
    ['another file', '{% render "/etc/passwd" %}', 'line 1, column 1: there is no tag render'],
    ['another file', '{% layout "/etc/passwd" %}', 'line 1, column 1: there is no tag layout'],
    [
      'what all objects have',
      '{{ title.constructor }}',
      'line 1, column 4: there is no variable title.constructor',
    ],
    [
      'too long a list',
      '{% for i in (1..99999999) %}{% endfor %}',
      'line 1, column 1: it makes too much of lists and texts',
    ],
    [
      'an if without an end',
      '{% if title %}',
      'line 1, column 1: something is opened here that is not closed',
    ],
  ])('that asks for %s is told where: %s', (_, text, problem) => {
    expect(written(text, sampleNotification())).toBe(`problem: the template own.liquid: ${problem}`);
  });

  it('may ask whether there is something, and say what else', () => {
    const text =
      '{% if severity %}{{ severity }}{% endif %}{{ alerts[0].link.runbook | default: "-" }}{{ nothing | default: "!" }}';
    expect(written(text, sampleNotification())).toBe('critical-!');
  });

  it('that goes on for long is stopped', () => {
    const loop = (inner: string) => `{% for a in (1..3000) %}${inner}{% endfor %}`;
    expect(written(loop(loop('{% for b in alerts %}{% endfor %}')), sampleNotification())).toMatch(
      /it takes longer than 1000 ms|it makes too much of lists and texts/,
    );
  });

  it('that writes without end is stopped', () => {
    const text = `{% assign x = "${'x'.repeat(1_000)}" %}${'{% assign x = x | append: x %}'.repeat(12)}{{ x }}`;
    expect(written(text, sampleNotification())).toBe(
      'problem: the template own.liquid: it writes more than 1000000 characters',
    );
  });

  it.each([
    [
      'application/json',
      '{"text": "{{ title }}"}',
      'problem: the template own.liquid: what it writes is not JSON',
    ],
    [
      'application/vnd.api+json; charset=utf-8',
      '{',
      'problem: the template own.liquid: what it writes is not JSON',
    ],
    ['application/json', '', 'problem: the template own.liquid: what it writes is not JSON'],
    ['text/plain', '{"text": "{{ title }}"}', '{"text": "CRITICAL'],
  ])('of the type %s must write it: %s', (contentType, text, start) => {
    const body = written(text, sampleNotification({ service: 'S3CRET"name' }), contentType);
    expect(body).toMatch(new RegExp(`^${start}`));
    if (start.startsWith('problem')) expect(body).not.toContain('S3CRET');
  });

  it('that writes no JSON is told from where on, and how to mend it', () => {
    const body = written(
      '{\n"text": "{{ title }}"}',
      sampleNotification({ service: 'a"b' }),
      'application/json',
    );
    expect(body).toBe(
      'problem: the template own.liquid: what it writes is not JSON from line 2, column 58 of it on. Does every text go through the filter json, as in {{ title | json }}?',
    );
  });

  it('shows nothing of what stands in it when it is wrong', () => {
    const wrong = [
      '{{ "T0KEN" | nope: "T0KEN" }}',
      '{{ "T0KEN',
      '{% if "T0KEN" = %}{% endif %}',
      '{% raw %}T0KEN',
      '{% for T0KEN %}{% endfor %}',
      '{{ "T0KEN" | append }}',
      '{% case "T0KEN" %}{% when ][ %}{% endcase %}',
    ];
    const told = wrong.map((text) => written(text, sampleNotification()));
    expect(told.join('\n')).not.toContain('T0KEN');
    expect(told.filter((text) => text.startsWith('problem'))).toHaveLength(wrong.length);
  });
});
