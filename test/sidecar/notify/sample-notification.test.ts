import { DEFAULT_LINKS } from '../../../sidecar/config/default-config';
import { describeNotification } from '../../../sidecar/notify/describe-notification';
import { isFiring } from '../../../sidecar/notify/notification';
import { decodeNotification, encodeNotification } from '../../../sidecar/notify/notification-memory';
import {
  SAMPLE_KINDS,
  SAMPLE_LASTED_MS,
  TEST_SERVICE,
  sampleNotification,
  testNotification,
} from '../../../sidecar/notify/sample-notification';

const NOW_MS = Date.parse('2026-03-01T10:00:00Z');
const SURROUNDINGS = {
  channel: 'oncall',
  links: { ...DEFAULT_LINKS, runbookUrl: 'https://runbooks.example/{rule}' },
  externalLabels: { cluster: 'eu-1' },
  nowMs: NOW_MS,
};

describe('a sample notification', () => {
  it.each([
    ['fired', 'CRITICAL: High p95 latency: 812 ms on service checkout (cluster eu-1)', 1],
    ['resolved', 'Resolved: p95 latency 120 ms on service checkout (cluster eu-1)', 0],
    ['group', 'CRITICAL: 2 alerts fire, 1 resolved (service checkout, cluster eu-1)', 2],
    ['digest', 'Digest: 1 alert fires, 1 resolved (cluster eu-1)', 1],
  ] as const)('of the kind %s is titled %s', (kind, title, firing) => {
    const sample = sampleNotification(kind, SURROUNDINGS);
    expect([describeNotification(sample).title, sample.firing, isFiring(sample)]).toEqual([
      title,
      firing,
      firing > 0,
    ]);
  });

  it.each(SAMPLE_KINDS)('of the kind %s is one that could be written down and read again', (kind) => {
    const sample = sampleNotification(kind, SURROUNDINGS);
    const rules = sample.items.map(({ alert }) => alert.rule);
    const again = decodeNotification(JSON.parse(JSON.stringify(encodeNotification(sample))), rules);
    expect(again).toEqual(sample);
    for (const { alert, atMs, links } of sample.items) {
      expect(atMs).toBeGreaterThanOrEqual(alert.firedMs ?? Infinity);
      expect(atMs).toBeLessThanOrEqual(NOW_MS);
      expect(links).toContainEqual({
        name: 'runbook',
        url: expect.stringMatching(alert.rule.name) as string,
      });
    }
  });

  it('that is resolved is the end of the one that fired', () => {
    const fired = sampleNotification('fired', { ...SURROUNDINGS, nowMs: NOW_MS - SAMPLE_LASTED_MS });
    const resolved = sampleNotification('resolved', SURROUNDINGS);
    const subject = ({ groupKey, items }: typeof fired): unknown[] => [
      groupKey,
      items.map(({ alertKey, alert }) => [alertKey, alert.sinceMs, alert.firedMs]),
    ];
    expect(subject(resolved)).toEqual(subject(fired));
    expect(resolved.id).not.toBe(fired.id);
  });
});

describe('a test notification', () => {
  const fired = testNotification('fired', NOW_MS, SURROUNDINGS);
  const resolved = testNotification('resolved', NOW_MS, { ...SURROUNDINGS, nowMs: NOW_MS + 900 });

  it('says first of all that it is a test, is mild, and asks for no acknowledgement', () => {
    const described = [fired, resolved].map(describeNotification);
    expect(described.map(({ title }) => title)).toEqual([
      `TEST: INFO: High p95 latency: 812 ms on service ${TEST_SERVICE} (cluster eu-1)`,
      `TEST: Resolved: p95 latency 120 ms on service ${TEST_SERVICE} (cluster eu-1)`,
    ]);
    for (const { items } of described) {
      expect(items[0]?.sentences[0]).toBe(
        'This is a test of the channel, sent by hand: nothing is wrong, and all below is made up.',
      );
      expect(items[0]?.sentences.join(' ')).not.toContain('gatewatch ack');
      expect(items[0]?.item.alert.severity).toBe('info');
    }
  });

  it('is followed by the end of the same alert, which is no other when it is sent again', () => {
    const subject = ({ groupKey, items }: typeof fired): unknown => [
      groupKey,
      items.map(({ alertKey, alert }) => [alertKey, alert.sinceMs]),
    ];
    expect(subject(resolved)).toEqual(subject(fired));
    expect([fired.firing, resolved.firing]).toEqual([1, 0]);
    const later = testNotification('fired', NOW_MS + 60_000, { ...SURROUNDINGS, nowMs: NOW_MS + 60_000 });
    expect(later.items[0]?.alertKey).toBe(fired.items[0]?.alertKey);
    expect(new Set([fired.id, resolved.id, later.id]).size).toBe(3);
  });
});
