// The words on one alert, the same on every channel: plain text, which a channel escapes as its receiver needs.
// A value that would round to its threshold gets more digits, until the two look different.
import type { Alert } from '../alert/alert';
import { alertId } from '../alert/alert-key';
import { FLAPPING_CALM_MS, FLAPPING_FIRINGS, FLAPPING_WITHIN_MS } from '../alert/advance-alert';
import { MAX_DIGITS, USUAL_DIGITS, formatThreshold, formatValue } from '../rule/format-value';
import { describeDuration } from './describe-duration';
import { describeErrors } from './describe-evidence';
import { describeScope, labelsInBrackets, showName, wordsOf } from './describe-subject';
import { describeSpan, describeTime } from './describe-time';
import type { NotificationItem } from './notification';

export interface Description {
  /** One short line: what is wrong, how much, for whom; while it fires with the severity before it. */
  readonly title: string;
  /** Sentences, each on what a person asks next: value and threshold, since when, where, what to know of the alert. */
  readonly sentences: readonly string[];
}

export function describeAlert(item: NotificationItem): Description {
  const alone = item.occasion === 'resolved' ? describeResolved(item) : describeFiring(item);
  const described = { ...alone, title: `${alone.title}${labelsInBrackets(item.externalLabels)}` };
  if (item.isTest !== true) return described;
  return { title: `TEST: ${described.title}`, sentences: [TEST_SENTENCE, ...described.sentences] };
}

const TEST_SENTENCE =
  'This is a test of the channel, sent by hand: nothing is wrong, and all below is made up.';

function describeFiring(item: NotificationItem): Description {
  const { alert, occasion } = item;
  const title = `${alert.severity.toUpperCase()}: ${titleOf(alert)}`;
  return {
    title: occasion === 'acknowledged' ? `Acknowledged: ${titleOf(alert)}` : title,
    sentences: [
      `${describeMeasurement(alert)} ${describeStart(alert)}`,
      ...describeOccasion(item),
      ...(item.evidence === undefined ? [] : describeErrors(item.evidence, alert.rule)),
      ...describeFlapping(alert),
      describeRule(alert),
      // Of a test there is no such alert.
      ...(item.isTest === true || alert.acknowledgement
        ? []
        : [`To acknowledge it: gatewatch ack ${alertId(item.alertKey)}`]),
    ],
  };
}

/** "High error rate: 12.3% on service checkout" */
export function titleOf(alert: Alert): string {
  const { rule, verdict } = alert;
  if (verdict.value === undefined) return troubleOf(alert);
  const scope = describeScope(alert.scope);
  const { value } = valuesOf(alert);
  switch (rule.kind) {
    case 'traffic_drop':
      return `Traffic dropped by ${value} on ${scope}`;
    case 'observed_ratio':
      return `Only ${value} of the requests that Kong served were counted`;
    case 'traffic_absence':
    case 'kong_unreachable':
    case 'target_unhealthy':
      return troubleOf(alert);
    default:
      return `${wordsOf(alert).trouble}: ${value} on ${scope}`;
  }
}

/** What is wrong and for whom, without a number: "High error rate on service checkout" */
function troubleOf(alert: Alert): string {
  const { rule } = alert;
  const scope = describeScope(alert.scope);
  switch (rule.kind) {
    case 'kong_unreachable':
      return rule.each === 'gateway' ? 'No Kong answers' : `${scope} does not answer`;
    case 'target_unhealthy':
      return `No healthy address for ${scope}`;
    case 'observed_ratio':
      return wordsOf(alert).trouble;
    default:
      return `${wordsOf(alert).trouble} on ${scope}`;
  }
}

function describeResolved(item: NotificationItem): Description {
  const { alert, endReason, atMs } = item;
  const { measure } = wordsOf(alert);
  const scope = describeScope(alert.scope);
  const span = describeSpan(alert.sinceMs ?? alert.firedMs ?? atMs, atMs);
  const rest = [...describeAcknowledgement(alert), describeRule(alert)];
  if (endReason === 'rule_removed') {
    return {
      title: `Resolved: ${troubleOf(alert)}, whose rule was removed`,
      sentences: [
        `The configuration no longer watches this, so whether ${scope} has recovered is not known. ${span}`,
        ...rest,
      ],
    };
  }
  if (endReason === 'not_observed') {
    return {
      title: `Resolved: ${troubleOf(alert)}, which can no longer be told`,
      sentences: [
        `For a day there was too little to judge, so whether ${scope} has recovered is not known. ${span}`,
        ...rest,
      ],
    };
  }
  if (endReason === 'forgotten') {
    return {
      title: `Resolved: ${troubleOf(alert)}, which Gatewatch has forgotten`,
      sentences: [
        `Gatewatch lost its memory of this alert, so whether ${scope} has recovered is not known; if not, it fires anew. ${span}`,
        ...rest,
      ],
    };
  }
  return {
    title:
      measure === undefined
        ? `Resolved: ${troubleOf(alert)}`
        : `Resolved: ${measure} ${valuesOf(alert).value} on ${scope}`,
    sentences: [`${describeRecovery(alert)} ${span}`, ...rest],
  };
}

/** "The p95 latency of service slow is 812 ms in the last 5 minutes (1,204 requests), over the threshold of 500 ms." */
function describeMeasurement(alert: Alert): string {
  const { rule, verdict } = alert;
  const { measure, side } = wordsOf(alert);
  const scope = describeScope(alert.scope);
  const window = describeDuration(rule.windowMs);
  switch (rule.kind) {
    case 'traffic_absence':
      return `Nothing came for ${scope} in the last ${window}; before, there was traffic.`;
    case 'kong_unreachable':
      return rule.each === 'gateway'
        ? 'No Kong answers on its status address.'
        : `${scope} does not answer on its status address.`;
    case 'target_unhealthy':
      return `Kong has no healthy address for ${scope}, and sends it nothing.`;
    default: {
      const { value, threshold } = valuesOf(alert);
      const end = verdict.state === 'breached' ? `, ${side} the threshold of ${threshold}.` : '.';
      return `${capital(measureOf(alert, measure ?? ''))} is ${value} ${spanOf(alert)}${end}`;
    }
  }
}

function describeRecovery(alert: Alert): string {
  const { rule } = alert;
  const { measure, side } = wordsOf(alert);
  const scope = describeScope(alert.scope);
  switch (rule.kind) {
    case 'traffic_absence':
      return `Requests for ${scope} come again.`;
    case 'kong_unreachable':
      return rule.each === 'gateway' ? 'Kong answers again.' : `${scope} answers again.`;
    case 'target_unhealthy':
      return `Kong has a healthy address for ${scope} again.`;
    default: {
      const { value, threshold } = valuesOf(alert);
      return (
        `${capital(measureOf(alert, measure ?? ''))} is ${value} ${spanOf(alert)}, ` +
        `no longer ${side} the threshold of ${threshold}.`
      );
    }
  }
}

function measureOf({ scope }: Alert, measure: string): string {
  return `the ${measure} of ${describeScope(scope)}`;
}

/** "in the last 5 minutes (1,204 requests)"; of a burn rate both windows. */
function spanOf({ rule, verdict }: Alert): string {
  const requests = `${verdict.samples.toLocaleString('en-US')} request${verdict.samples === 1 ? '' : 's'}`;
  const { windows } = verdict;
  const span =
    windows === undefined
      ? `in the last ${describeDuration(rule.windowMs)}`
      : `in the last ${describeDuration(windows.longMs)} and the last ${describeDuration(windows.shortMs)}`;
  return `${span} (${requests})`;
}

function describeStart({ sinceMs, firedMs }: Alert): string {
  const startMs = sinceMs ?? firedMs;
  return startMs === undefined ? '' : `It has been so since ${describeTime(startMs)}.`;
}

function describeOccasion({ occasion, alert }: NotificationItem): string[] {
  switch (occasion) {
    case 'worsened':
      return [`It got worse, and is ${alert.severity} now.`, ...describeAcknowledgement(alert)];
    case 'escalated':
      return alert.acknowledgement ? describeAcknowledgement(alert) : ['Nobody has acknowledged it yet.'];
    case 'repeated':
      return ['It still fires.', ...describeAcknowledgement(alert)];
    default:
      return describeAcknowledgement(alert);
  }
}

function describeAcknowledgement({ acknowledgement }: Alert): string[] {
  if (acknowledgement === undefined) return [];
  const { by, comment, atMs } = acknowledgement;
  const said = comment === '' ? '' : `: ${showName(comment)}`;
  return [`Acknowledged by ${showName(by)} at ${describeTime(atMs)}${said}.`];
}

function describeFlapping({ isFlapping, firings }: Alert): string[] {
  if (!isFlapping) return [];
  const times = Math.max(firings.length, FLAPPING_FIRINGS);
  return [
    `It is flapping: it fired ${times} times within ${describeDuration(FLAPPING_WITHIN_MS)}, and is resolved only after ` +
      `${describeDuration(FLAPPING_CALM_MS)} of calm.`,
  ];
}

function describeRule({ rule, severity }: Alert): string {
  return `Rule ${showName(rule.name)}, severity ${severity}.`;
}

/** Both look different where they are. */
export function valuesOf({ rule, verdict }: Alert): { value: string; threshold: string } {
  const threshold = formatThreshold(rule.kind, verdict.threshold);
  if (verdict.value === undefined) return { value: 'unknown', threshold };
  let value = formatValue(rule.kind, verdict.value);
  for (let digits = USUAL_DIGITS[rule.kind] + 1; value === threshold && digits <= MAX_DIGITS; digits += 1)
    value = formatValue(rule.kind, verdict.value, digits);
  return { value, threshold };
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
