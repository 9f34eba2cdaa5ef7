// Something that happened to an alert or a silence, as people ask for it later and as it stands in the memory.
import { z } from 'zod';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import { ALERT_LABELS } from '../config/notification-policy';

const text = z.string();
const unixMs = z.int();

const base = {
  /** Never that of another event. */
  sequence: z.int().min(1),
  /** Unix ms. */
  atMs: unixMs,
};

const ofAlert = {
  ...base,
  /** See alertId in alert/alert-key.ts. */
  alertId: text,
  /** The rule's name. */
  rule: text,
  /** Of its scope, those that it has. */
  labels: z.record(text, text),
  /** As it was then. */
  severity: z.enum(SEVERITIES),
};

/** In the rule's own unit. */
const measured = {
  /** `undefined` where there was nothing to judge. */
  value: z.number().optional(),
  threshold: z.number(),
};

const told = {
  channel: text,
  occasion: z.enum(['fired', 'worsened', 'escalated', 'repeated', 'acknowledged', 'resolved']),
  /** The same for all that was told in one message. */
  messageId: text,
};

const ofSilence = {
  ...base,
  silenceId: text,
  matchers: z.array(
    z.object({ label: z.enum(ALERT_LABELS), operator: z.enum(['=', '!=', '=~', '!~']), value: text }),
  ),
  startsMs: unixMs,
  endsMs: unixMs,
  comment: text,
};

export const alertEventShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('fired'), ...ofAlert, ...measured, sinceMs: unixMs }),
  z.object({ kind: z.literal('worsened'), ...ofAlert, ...measured }),
  // How often it fired lately, this time included.
  z.object({ kind: z.literal('flapped'), ...ofAlert, firings: z.int().min(1) }),
  z.object({ kind: z.literal('acknowledged'), ...ofAlert, by: text, comment: text }),
  z.object({
    kind: z.literal('resolved'),
    ...ofAlert,
    ...measured,
    firedMs: unixMs,
    endReason: z.enum(['recovered', 'rule_removed', 'not_observed', 'forgotten']),
  }),
  z.object({ kind: z.literal('notification_sent'), ...ofAlert, ...told }),
  // It was given up; a try that is repeated is no event.
  z.object({ kind: z.literal('notification_failed'), ...ofAlert, ...told, reason: text }),
  // Somebody has thrown away what no channel took.
  z.object({ kind: z.literal('notification_discarded'), ...ofAlert, ...told, by: text }),
  z.object({ kind: z.literal('silence_created'), ...ofSilence, by: text }),
  // Without a `by` its time was over.
  z.object({ kind: z.literal('silence_expired'), ...ofSilence, by: text.optional() }),
]);

export type AlertEvent = Readonly<z.infer<typeof alertEventShape>>;

export type AlertEventKind = AlertEvent['kind'];

/** In the order of a life. */
export const ALERT_EVENT_KINDS = [
  'fired',
  'worsened',
  'flapped',
  'acknowledged',
  'resolved',
  'notification_sent',
  'notification_failed',
  'notification_discarded',
  'silence_created',
  'silence_expired',
] as const satisfies readonly AlertEventKind[];

type WithoutSequence<Event> = Event extends unknown ? Omit<Event, 'sequence'> : never;

/** One that the log has not numbered yet. */
export type NewAlertEvent = WithoutSequence<AlertEvent>;
