import { alertId } from '../../../../sidecar/alert/alert-key';
import { createChannel } from '../../../../sidecar/channel/create-channels';
import { alertEvent } from '../../../../sidecar/channel/pagerduty/pagerduty-event';
import { MOST_EVENT_BYTES } from '../../../../sidecar/channel/pagerduty/pagerduty-limits';
import type { NotificationItem } from '../../../../sidecar/notify/notification';
import { SEVERITIES } from '../../../../kong-plugin/contract/severity';
import type { Scope } from '../../../../sidecar/window/scope';
import { pagerDutySettings } from '../../../support/channel-settings';
import { ManualClock } from '../../../support/manual-clock';
import { PagerDutyServer } from '../../../support/pagerduty-server';
import { sampleGroup, sampleItem, sampleResolvedItem } from '../../../support/sample-notification';
import { latencyRule } from '../../../support/sample-rules';
import { NO_PROJECT } from '../../../support/sentry-project';

const EVIDENCE = {
  operations: [{ service: 'slow', operation: 'GET pay', requests: 900, errors: 12, p95Ms: 911 }],
  errorTypes: [{ errorType: 'upstream_timeout', requests: 12, errors: 12 }],
  addresses: [{ address: '10.0.0.7:8080', failures: 12 }],
};

const HUGE = {
  operations: Array.from({ length: 5 }, () => ({
    service: '語'.repeat(100_000),
    operation: '😀'.repeat(100_000),
    requests: 1,
    errors: 1,
    p95Ms: undefined,
  })),
  errorTypes: [],
  addresses: [],
};

interface Payload {
  readonly summary: string;
  readonly source: string;
  readonly custom_details?: Readonly<Record<string, unknown>>;
}

function payloadOf(item: NotificationItem): Payload {
  return alertEvent(item, 'trigger', undefined)['payload'] as Payload;
}

describe("an alert's event", () => {
  it('has what a person on call needs', () => {
    const item = sampleItem({
      item: {
        evidence: EVIDENCE,
        links: [
          { name: 'runbook', url: 'https://r.example/slow' },
          { name: 'gatewatch', url: 'https://gatewatch.example/' },
        ],
      },
    });
    expect(alertEvent(item, 'trigger', 'https://gatewatch.example')).toEqual({
      event_action: 'trigger',
      dedup_key: alertId(item.alertKey),
      client: 'Gatewatch',
      client_url: 'https://gatewatch.example',
      links: [
        { href: 'https://r.example/slow', text: 'runbook' },
        { href: 'https://gatewatch.example/', text: 'gatewatch' },
      ],
      payload: {
        summary: 'CRITICAL: High p95 latency: 812 ms on service slow',
        severity: 'critical',
        source: 'slow',
        class: 'latency',
        timestamp: '2026-03-01T10:00:00.000Z',
        custom_details: {
          alert: alertId(item.alertKey),
          occasion: 'fired',
          value: '812 ms',
          threshold: '500 ms',
          requests: 1_204,
          since: '2026-03-01T10:00:00.000Z',
          description: expect.stringContaining('over the threshold of 500 ms') as string,
          rule: 'slow',
          kind: 'latency',
          level: 'service',
          severity: 'critical',
          service: 'slow',
          operations: [{ service: 'slow', operation: 'GET pay', requests: 900, errors: 12, p95_ms: 911 }],
          errors: [{ error_type: 'upstream_timeout', requests: 12 }],
          upstream_addresses: [{ address: '10.0.0.7:8080', failures: 12 }],
        },
      },
    });
  });

  it('says why it has ended and who knew of it, and has no client', () => {
    const item = sampleResolvedItem({
      alert: { acknowledgement: { by: 'ann', comment: 'on it', atMs: 1 } },
      item: { endReason: 'not_observed' },
    });
    const event = alertEvent(item, 'resolve', 'https://gatewatch.example');
    expect(event).not.toHaveProperty('client');
    expect(event).not.toHaveProperty('links');
    expect(event).toMatchObject({
      event_action: 'resolve',
      payload: {
        timestamp: '2026-03-01T10:12:00.000Z',
        custom_details: { end_reason: 'not_observed', acknowledged_by: 'ann', comment: 'on it' },
      },
    });
  });

  it.each(SEVERITIES)('has the severity %s, which PagerDuty has too', (severity) => {
    expect(payloadOf(sampleItem({ alert: { severity } }))).toMatchObject({ severity });
  });

  it.each<[Scope, object]>([
    [{ level: 'gateway' }, { source: 'the gateway' }],
    [{ level: 'service', service: 'shop' }, { source: 'shop' }],
    [{ level: 'service', service: '' }, { source: 'requests without a service' }],
    [
      { level: 'operation', service: 'shop', operation: 'GET pay' },
      { source: 'shop', component: 'GET pay' },
    ],
    [
      { level: 'operation', service: '', operation: '' },
      { source: 'requests without a service', component: 'requests without a route' },
    ],
    [
      { level: 'error_type', service: 'shop', errorType: 'upstream_timeout' },
      { source: 'shop', component: 'upstream_timeout' },
    ],
    [
      { level: 'instance', instance: 'kong-1:8100' },
      { source: 'kong-1:8100', group: 'kong' },
    ],
    [
      { level: 'target', instance: 'kong-1:8100', upstream: 'shop.up', target: '10.0.0.7:80' },
      { source: '10.0.0.7:80', component: 'shop.up', group: 'kong-1:8100' },
    ],
    [{ level: 'service', service: ' \u0000\u202e ' }, { source: expect.stringMatching(/\S/) as string }],
  ])('says what is affected: %j', (scope, place) => {
    expect(payloadOf(sampleItem({ alert: { scope } }))).toMatchObject(place);
  });
});

describe("an alert's event about hostile names", () => {
  const named = (name: string): NotificationItem =>
    sampleItem({ service: name, rule: latencyRule({ name }), item: { evidence: EVIDENCE } });

  it.each([
    ['a line break and control characters', 'a\r\n\u0000\u001b[31m\u2028b'],
    ['halves of characters', '\ud83d'.repeat(50)],
    ['markup', '<script>alert(1)</script>"}],{"routing_key":"x"'],
    ['the name of an object', '__proto__'],
  ])('is well-formed JSON of plain characters: %s', (_, name) => {
    const text = JSON.stringify(alertEvent(named(name), 'trigger', undefined));
    expect(text.replaceAll('\\n', '')).not.toMatch(/\\u|\\r/);
    expect(text.isWellFormed()).toBe(true);
    expect(JSON.parse(text)).toMatchObject({ event_action: 'trigger', payload: { class: 'latency' } });
  });

  it('keeps the exact name in its details, and the beginning of it as its source', () => {
    const name = `${'long '.repeat(100)}end`;
    const payload = payloadOf(named(name));
    expect(payload.custom_details?.['service']).toBe(name);
    expect(Array.from(payload.source)).toHaveLength(255);
    expect(payload.source).toMatch(/^long long .*…$/);
  });

  it.each([
    ['evidence', sampleItem({ item: { evidence: HUGE } })],
    ['a name', sampleItem({ service: '😀'.repeat(300_000) })],
    [
      'links',
      sampleItem({ item: { links: [{ name: 'runbook', url: `https://r.example/${'x'.repeat(600_000)}` }] } }),
    ],
    [
      'everything',
      sampleItem({
        service: '&'.repeat(600_000),
        item: {
          evidence: HUGE,
          links: [{ name: 'runbook', url: `https://r.example/${'x'.repeat(600_000)}` }],
        },
      }),
    ],
  ])('stays within 512 KB by leaving out what is too long: %s', (_, item) => {
    const event = alertEvent(item, 'trigger', 'https://gatewatch.example');
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(MOST_EVENT_BYTES - 100);
    expect(event).toMatchObject({
      dedup_key: alertId(item.alertKey),
      payload: { severity: 'critical', custom_details: { value: '812 ms', requests: 1_204 } },
    });
  });

  it('is taken by PagerDuty in every scope, with every occasion', async () => {
    const pager = await PagerDutyServer.start();
    const name = `"}<!channel>\ud83d\u0000${'語'.repeat(2_000)}`;
    const scopes: Scope[] = [
      { level: 'gateway' },
      { level: 'service', service: name },
      { level: 'operation', service: name, operation: name },
      { level: 'error_type', service: name, errorType: name },
      { level: 'instance', instance: name },
      { level: 'target', instance: name, upstream: name, target: name },
    ];
    const items = scopes.flatMap((scope) => [
      sampleItem({ rule: latencyRule({ name: 'a' }), alert: { scope } }),
      sampleItem({ rule: latencyRule({ name: 'b' }), alert: { scope }, item: { occasion: 'acknowledged' } }),
      sampleResolvedItem({ rule: latencyRule({ name: 'c' }), alert: { scope } }),
    ]);
    const channel = createChannel(pagerDutySettings(pager.url), {
      clock: new ManualClock(),
      project: NO_PROJECT,
      externalUrl: undefined,
    });
    await expect(channel.send(sampleGroup(items))).resolves.toEqual({ result: 'sent' });
    expect(pager.events).toHaveLength(18);
    expect(pager.faults).toEqual([]);
    await pager.close();
  });
});
