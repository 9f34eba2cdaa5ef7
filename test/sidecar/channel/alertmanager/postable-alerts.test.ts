import { alertId } from '../../../../sidecar/alert/alert-key';
import { postableAlerts, type Telling } from '../../../../sidecar/channel/alertmanager/postable-alerts';
import type { Notification } from '../../../../sidecar/notify/notification';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
  sampleResolvedItem,
  SAMPLE_STARTED_MS,
} from '../../../support/sample-notification';
import { latencyRule } from '../../../support/sample-rules';

const NOW_MS = SAMPLE_STARTED_MS + 3_600_000;
const TELLING: Telling = { validMs: 240_000, nowMs: NOW_MS, told: {} };

/** Of two severities. */
const rule = latencyRule({
  thresholds: [
    { severity: 'warning', value: 500 },
    { severity: 'critical', value: 800 },
  ],
});

function post(notification: Notification, others: Partial<Telling> = {}): ReturnType<typeof postableAlerts> {
  return postableAlerts(notification, { ...TELLING, ...others });
}

const ID = alertId(sampleItem({ rule }).alertKey);

describe('an alert for Alertmanager', () => {
  it('has an end in the future while it fires, so that it ends by itself once nobody tells it', () => {
    expect(post(sampleNotification()).alerts).toEqual([
      {
        labels: {
          alertname: 'slow',
          kind: 'latency',
          level: 'service',
          service: 'slow',
          severity: 'critical',
        },
        annotations: {
          summary: 'CRITICAL: High p95 latency: 812 ms on service slow',
          description: expect.stringContaining('over the threshold of 500 ms') as string,
          value: '812',
          threshold: '500',
        },
        startsAt: '2026-03-01T10:00:00.000Z',
        endsAt: '2026-03-01T11:04:00.000Z',
      },
    ]);
  });

  it('has the end that it had when it is over', () => {
    expect(post(sampleResolved()).alerts).toMatchObject([
      { startsAt: '2026-03-01T10:00:00.000Z', endsAt: '2026-03-01T10:12:00.000Z' },
    ]);
  });

  it('never ends before it begins, which Alertmanager refuses, however the clock was set', () => {
    const early = sampleResolved({ item: { atMs: SAMPLE_STARTED_MS - 5_000 } });
    const late = sampleNotification({ alert: { sinceMs: NOW_MS + 1_000_000 } });
    for (const [alert] of [post(early).alerts, post(late).alerts])
      expect(alert?.endsAt).toBe(alert?.startsAt);
  });

  it('has the labels of the sidecar beside its own', () => {
    const externalLabels = { cluster: 'eu-1', service: 'other' };
    const [alert] = post(sampleNotification({ item: { externalLabels } })).alerts;
    expect(alert?.labels).toMatchObject({ cluster: 'eu-1', service: 'slow' });
  });

  it('has no empty label, and valid UTF-8 whatever a name holds', () => {
    const [alert] = post(sampleNotification({ service: '\ud800"\n\u0000' })).alerts;
    expect(alert?.labels['service']).toBe('\ufffd"\n\u0000');
    expect(Object.values(alert?.labels ?? {})).not.toContain('');
    expect(Object.keys(post(sampleNotification({ service: '' })).alerts[0]?.labels ?? {})).not.toContain(
      'service',
    );
  });

  it('links to the graph of its value, else to the sidecar, else to nothing', () => {
    const prometheus = { name: 'prometheus', url: 'https://p.example/graph' } as const;
    const gatewatch = { name: 'gatewatch', url: 'https://g.example/' } as const;
    const urlOf = (links: readonly (typeof prometheus | typeof gatewatch)[]) =>
      post(sampleNotification({ item: { links } })).alerts[0]?.generatorURL;
    expect([urlOf([gatewatch, prometheus]), urlOf([gatewatch]), urlOf([])]).toEqual([
      'https://p.example/graph',
      'https://g.example/',
      undefined,
    ]);
  });

  it('is told once, as it was last, where a digest tells of it more than once', () => {
    const digest = sampleGroup([sampleItem(), sampleResolvedItem(), sampleItem({ service: 'b' })], {
      message: { kind: 'digest' },
    });
    expect(post(digest).alerts.map(({ labels, endsAt }) => [labels['service'], endsAt])).toEqual([
      ['slow', '2026-03-01T10:12:00.000Z'],
      ['b', '2026-03-01T11:04:00.000Z'],
    ]);
  });
});

describe('an alert whose severity changes', () => {
  const warning = sampleNotification({ rule, alert: { severity: 'warning' }, message: { kind: 'standing' } });
  const critical = sampleNotification({ rule, message: { kind: 'standing' } });

  it('is remembered with the severity that was told', () => {
    expect(post(warning).told).toEqual({ [ID]: 'warning' });
    expect(post(critical, { told: { [ID]: 'warning' } }).told).toEqual({ [ID]: 'critical' });
  });

  it.each([
    ['worse', 'warning', critical, 'critical'],
    ['milder', 'critical', warning, 'warning'],
  ] as const)('to what is %s ends as it was', (_, old, notification, severity) => {
    const { alerts } = post(notification, { told: { [ID]: old } });
    expect(alerts.map(({ labels, endsAt }) => [labels['severity'], endsAt])).toEqual([
      [old, new Date(NOW_MS).toISOString()],
      [severity, '2026-03-01T11:04:00.000Z'],
    ]);
    const [{ severity: one, ...ended } = {}, { severity: other, ...begun } = {}] = alerts.map(
      ({ labels }) => labels,
    );
    expect([ended, one === other]).toEqual([begun, false]);
  });

  it('has ended once: the next telling says only what fires', () => {
    const { told } = post(critical, { told: { [ID]: 'warning' } });
    expect(post(critical, { told }).alerts).toHaveLength(1);
  });

  it('ends in both severities where it was over before the new one was told', () => {
    const { alerts, told } = post(sampleResolved({ rule }), { told: { [ID]: 'warning' } });
    expect(alerts.map(({ labels }) => labels['severity'])).toEqual(['warning', 'critical']);
    expect(alerts.every(({ endsAt }) => Date.parse(endsAt) <= NOW_MS)).toBe(true);
    expect(told).toEqual({});
  });

  it('is not remembered where its rule has but one', () => {
    expect(post(sampleNotification()).told).toEqual({});
  });

  it('is forgotten once it no longer stands, and kept while a message only does not tell of it', () => {
    const told = { '0123456789abcdef': 'error' };
    expect(post(warning, { told }).told).toEqual({ [ID]: 'warning' });
    expect(post({ ...warning, kind: 'group' }, { told }).told).toEqual({ ...told, [ID]: 'warning' });
  });
});
