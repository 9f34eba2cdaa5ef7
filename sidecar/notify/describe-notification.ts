// The words that a person reads, the same on every channel: plain text, which a channel escapes as its receiver needs.
// A value that would round to its threshold gets more digits, until the two look different.
// Names come from Kong's entities and may be anything: control and format characters become spaces, length is cut.
import type { Rule } from '../config/config';
import { MAX_DIGITS, USUAL_DIGITS, formatThreshold, formatValue } from '../rule/format-value';
import { describeDuration } from './describe-duration';
import type { Notification } from './notification';

export interface Description {
  /** One short line: what is wrong, how much, for whom. */
  readonly title: string;
  /** Sentences: value, threshold, window, requests, since when, which rule. */
  readonly text: string;
}

const MAX_NAME_LENGTH = 100;

interface Words {
  readonly highTitle: string;
  readonly measure: string;
  /** Where the value is when the rule is breached. */
  readonly side: 'over' | 'under';
}

const WORDS: Record<Rule['kind'], Words> = {
  p95_latency: {
    highTitle: 'High p95 latency',
    measure: 'p95 latency',
    side: 'over',
  },
  error_rate: {
    highTitle: 'High error rate',
    measure: 'error rate',
    side: 'over',
  },
  apdex: {
    highTitle: 'Low Apdex',
    measure: 'Apdex',
    side: 'under',
  },
};

export function describeNotification(notification: Notification): Description {
  if (notification.ruleRemoved) return describeRemoval(notification);
  return notification.status === 'firing' ? describeFiring(notification) : describeResolved(notification);
}

function describeFiring(notification: Notification): Description {
  const { rule, service, startedMs } = notification;
  const words = WORDS[rule.kind];
  const { value, threshold } = describeValues(notification);
  return {
    title: `${words.highTitle}: ${value} on ${describeService(service)}`,
    text:
      `${describeMeasurement(notification)}, ${words.side} the threshold of ${threshold}. ` +
      `It has been so since ${describeTime(startedMs)}. ${describeRule(rule)}`,
  };
}

function describeResolved(notification: Notification): Description {
  const { rule, service } = notification;
  const words = WORDS[rule.kind];
  const { value, threshold } = describeValues(notification);
  return {
    title: `Resolved: ${words.measure} ${value} on ${describeService(service)}`,
    text:
      `${describeMeasurement(notification)}, no longer ${words.side} the threshold of ${threshold}. ` +
      `${describeSpan(notification)} ${describeRule(rule)}`,
  };
}

function describeRemoval(notification: Notification): Description {
  const { rule, service } = notification;
  return {
    title: `Resolved: the rule for ${WORDS[rule.kind].measure} on ${describeService(service)} was removed`,
    text:
      `The configuration no longer has the rule, so whether ${describeService(service)} has recovered is not known. ` +
      `${describeSpan(notification)} ${describeRule(rule)}`,
  };
}

/** "The p95 latency of service slow is 812 ms in the last 5 minutes (1,204 requests)" */
function describeMeasurement(notification: Notification): string {
  const { rule, service, verdict } = notification;
  const requests = `${verdict.samples.toLocaleString('en-US')} request${verdict.samples === 1 ? '' : 's'}`;
  return (
    `The ${WORDS[rule.kind].measure} of ${describeService(service)} is ${describeValues(notification).value} ` +
    `in the last ${describeDuration(rule.windowMs)} (${requests})`
  );
}

function describeSpan({ startedMs, resolvedMs }: Notification): string {
  const endedMs = resolvedMs ?? startedMs;
  return (
    `It lasted ${describeDuration(Math.max(0, endedMs - startedMs))}, ` +
    `from ${describeTime(startedMs)} to ${describeTime(endedMs)}.`
  );
}

function describeRule(rule: Rule): string {
  return `Rule ${showName(rule.name)}, severity ${rule.severity}.`;
}

/** "service slow", or "requests without a service". */
function describeService(service: string): string {
  return service === '' ? 'requests without a service' : `service ${showName(service)}`;
}

function describeValues({ rule, verdict }: Notification): { value: string; threshold: string } {
  const threshold = formatThreshold(rule.kind, verdict.threshold);
  if (verdict.value === undefined) return { value: 'unknown', threshold };
  let value = formatValue(rule.kind, verdict.value);
  for (let digits = USUAL_DIGITS[rule.kind] + 1; value === threshold && digits <= MAX_DIGITS; digits += 1)
    value = formatValue(rule.kind, verdict.value, digits);
  return { value, threshold };
}

/** "2026-03-01 10:04:05 UTC" */
function describeTime(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function showName(name: string): string {
  const plain = Array.from(name.replace(/[\p{C}\p{Z}]/gu, ' '));
  return plain.length <= MAX_NAME_LENGTH
    ? plain.join('')
    : `${plain.slice(0, MAX_NAME_LENGTH - 1).join('')}…`;
}
