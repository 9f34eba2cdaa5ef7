// Notifications of alerts that are made up, in the form of real ones: for a preview of what a channel would be sent, and for a test of
// one. Pure.
import { createHash } from 'node:crypto';
import type { Alert } from '../alert/alert';
import type { ApdexRule, ErrorRateRule, LatencyRule, Rule } from '../config/rule';
import type { Message, MessageItem } from '../route/message';
import type { Verdict } from '../rule/verdict';
import type { Evidence } from '../window/evidence';
import { notificationOf, type MessageSettings } from './notification-of-message';
import type { Notification } from './notification';

export const SAMPLE_KINDS = ['fired', 'resolved', 'group', 'digest'] as const;

export type SampleKind = (typeof SAMPLE_KINDS)[number];

export interface SampleSurroundings extends MessageSettings {
  /** The channel's name. */
  readonly channel: string;
  /** Unix ms. */
  readonly nowMs: number;
}

const MINUTE_MS = 60_000;

/** From what `fired` tells of to what `resolved` tells of. */
export const SAMPLE_LASTED_MS = 12 * MINUTE_MS;

/** What a channel is sent where something is wrong. @param kind `resolved` ends what `fired` tells of */
export function sampleNotification(kind: SampleKind, surroundings: SampleSurroundings): Notification {
  const { nowMs } = surroundings;
  const message = messageOf(`sample ${kind}`, DRAFTS[kind](nowMs), surroundings);
  return notificationOf(message, surroundings, () => EVIDENCE);
}

/** The service that a test speaks of. */
export const TEST_SERVICE = 'gatewatch-test';

/** Says of itself that it is a test. @param startMs when the test began, the same for both */
export function testNotification(
  occasion: 'fired' | 'resolved',
  startMs: number,
  surroundings: SampleSurroundings,
): Notification {
  const { nowMs } = surroundings;
  const rule = latencyRule('gatewatch-test', 'info');
  const fired = firing(rule, TEST_SERVICE, startMs - MINUTE_MS, {
    value: 812,
    threshold: 500,
    samples: 1_204,
  });
  const item = occasion === 'fired' ? told(fired, startMs) : ended(fired, nowMs, { value: 120 });
  const message = messageOf(
    `test ${occasion} ${startMs}`,
    { groupKey: 'gatewatch-test', groupLabels: { service: TEST_SERVICE }, items: [item] },
    surroundings,
  );
  const { items, ...notification } = notificationOf(message, surroundings, () => undefined);
  return { ...notification, items: items.map((one) => ({ ...one, isTest: true })) };
}

type Draft = Pick<Message, 'groupKey' | 'groupLabels' | 'items'> & Partial<Pick<Message, 'kind'>>;

const DRAFTS: Readonly<Record<SampleKind, (nowMs: number) => Draft>> = {
  fired: (nowMs) => ofCheckout([told(slowCheckout(nowMs), nowMs)]),
  resolved: (nowMs) =>
    ofCheckout([ended(slowCheckout(nowMs - SAMPLE_LASTED_MS), nowMs, { value: 120, samples: 1_310 })]),
  group: (nowMs) =>
    ofCheckout([
      told(failingCheckout(nowMs), nowMs),
      told(slowCheckout(nowMs), nowMs, 'worsened'),
      ended(unhappyCheckout(nowMs), nowMs, { value: 0.97, samples: 1_310 }),
    ]),
  digest: (nowMs) => {
    const early = nowMs - 90 * MINUTE_MS;
    const unhappy = unhappyCheckout(early);
    const slow = firing(latencyRule('p95_latency', 'info'), 'search', nowMs - 12 * MINUTE_MS, {
      value: 612,
      threshold: 500,
      samples: 880,
    });
    return {
      kind: 'digest',
      groupKey: 'digest',
      groupLabels: {},
      items: [
        told(unhappy, early),
        ended(unhappy, early + 25 * MINUTE_MS, { value: 0.97, samples: 1_310 }),
        told(slow, nowMs - 11 * MINUTE_MS),
      ],
    };
  },
};

function ofCheckout(items: readonly MessageItem[]): Draft {
  return { groupKey: 'service=checkout', groupLabels: { service: 'checkout' }, items };
}

function slowCheckout(nowMs: number): Alert {
  const rule = latencyRule('p95_latency', 'critical');
  return firing(rule, 'checkout', nowMs - 3 * MINUTE_MS, { value: 812, threshold: 500, samples: 1_204 });
}

function failingCheckout(nowMs: number): Alert {
  const rule: ErrorRateRule = {
    ...BASE,
    name: 'error_rate',
    kind: 'error_rate',
    thresholds: [{ severity: 'critical', value: 0.01 }],
    resolveAt: 0.01,
  };
  return firing(rule, 'checkout', nowMs - 2 * MINUTE_MS, { value: 0.123, threshold: 0.01, samples: 1_204 });
}

function unhappyCheckout(nowMs: number): Alert {
  const rule: ApdexRule = {
    ...BASE,
    name: 'apdex',
    kind: 'apdex',
    targetMs: 250,
    thresholds: [{ severity: 'warning', value: 0.95 }],
    resolveAt: 0.95,
  };
  return firing(rule, 'checkout', nowMs - 31 * MINUTE_MS, { value: 0.88, threshold: 0.95, samples: 1_204 });
}

const BASE = {
  each: 'service',
  match: {},
  windowMs: 5 * MINUTE_MS,
  forMs: MINUTE_MS,
  keepFiringForMs: 0,
  runbookUrl: undefined,
  overrides: [],
  confidence: undefined,
  minimumRequests: 1,
} as const;

function latencyRule(name: string, severity: 'info' | 'critical'): LatencyRule {
  const thresholds = [{ severity, value: 500 }];
  return { ...BASE, name, kind: 'latency', quantile: 0.95, thresholds, resolveAt: 500 };
}

type Measured = Pick<Verdict, 'value' | 'threshold' | 'samples'>;

/** @param rule with one threshold */
function firing(
  rule: Extract<Rule, { thresholds: unknown }>,
  service: string,
  sinceMs: number,
  measured: Measured,
): Alert {
  const severity = rule.thresholds[0]?.severity ?? 'info';
  const firedMs = sinceMs + rule.forMs;
  return {
    rule,
    scope: { level: 'service', service },
    state: 'firing',
    severity,
    verdict: { state: 'breached', severity, doubt: undefined, ...measured },
    sinceMs,
    breachedSinceMs: { [severity]: sinceMs },
    firedMs,
    healthySinceMs: undefined,
    milderSinceMs: undefined,
    unknownSinceMs: undefined,
    resolvedMs: undefined,
    acknowledgement: undefined,
    firings: [firedMs],
    isFlapping: false,
  };
}

function told(alert: Alert, atMs: number, occasion: 'fired' | 'worsened' = 'fired'): MessageItem {
  return { alert, occasion, atMs, endReason: undefined };
}

/** @param measured what is other than when it fired */
function ended(alert: Alert, atMs: number, measured: Partial<Measured>): MessageItem {
  const verdict = { ...alert.verdict, state: 'healthy', severity: undefined, ...measured } as const;
  const resolved: Alert = { ...alert, state: 'resolved', verdict, healthySinceMs: atMs, resolvedMs: atMs };
  return { alert: resolved, occasion: 'resolved', atMs, endReason: 'recovered' };
}

function messageOf(
  name: string,
  { kind = 'group', ...draft }: Draft,
  { channel, nowMs }: SampleSurroundings,
): Message {
  const last = new Map(draft.items.map(({ alert, occasion }) => [alert.rule, occasion]));
  return {
    ...draft,
    id: createHash('sha256')
      .update(JSON.stringify([name, channel, nowMs]))
      .digest('hex')
      .slice(0, 16),
    channel,
    kind,
    leftOut: 0,
    firing: [...last.values()].filter((occasion) => occasion !== 'resolved').length,
    repeat: 0,
    createdMs: nowMs,
  };
}

const EVIDENCE: Evidence = {
  operations: [
    { service: 'checkout', operation: 'POST pay', requests: 411, errors: 96, p95Ms: 1_240 },
    { service: 'checkout', operation: 'GET basket', requests: 793, errors: 52, p95Ms: 640 },
  ],
  errorTypes: [
    { errorType: 'upstream_timeout', requests: 96, errors: 96 },
    { errorType: 'upstream_server_error', requests: 52, errors: 52 },
  ],
  addresses: [{ address: '10.0.0.7:8080', failures: 131 }],
};
