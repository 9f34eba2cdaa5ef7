// The forms of what the API answers. The API's document is made of them, the answers are typed by them, and the command line reads
// answers with them, so that the three cannot drift apart. Times are texts in UTC; what there is none of is null.
import { z } from 'zod';
import { SEVERITIES } from '../../../kong-plugin/contract/severity';
import { ALERT_STATES } from '../../alert/alert';
import type { EndReason } from '../../alert/alert-change';
import { KONG_LEVELS, WINDOW_LEVELS, type RuleKind } from '../../config/rule';
import { KINDS } from '../../config/rule-shape';
import { LINK_NAMES } from '../../notify/notification';
import { OCCASIONS } from '../../route/message';
import type { SilenceStatus } from '../../route/silence-book';
import type { Doubt } from '../../rule/verdict';

const text = z.string();
const count = z.int().min(0);
const time = text.meta({ format: 'date-time' });

export const ALERT_ID = /^[0-9a-f]{16}$/;

const alertId = text.regex(ALERT_ID).describe('16 hexadecimal digits, the same for an alert for ever');
const silenceId = text.regex(/^[0-9a-f]{16}$/);
const severity = z.enum(SEVERITIES);
const labels = z.record(text, text).describe('Those that its scope has');

const kind = z.enum([...new Set(Object.values(KINDS))]) satisfies z.ZodType<RuleKind>;

const DOUBTS = ['no_requests', 'too_few_requests', 'gap', 'kong_unreachable'] as const;
const doubt = z.enum(DOUBTS) satisfies z.ZodType<Doubt>;

export const SILENCE_STATES = ['pending', 'active', 'expired'] as const satisfies readonly SilenceStatus[];

export const linkShape = z.object({ name: z.enum(LINK_NAMES), url: text });

const acknowledgement = z.object({ by: text, comment: text.describe('May be empty'), at: time });

const muted = z
  .object({
    silences: z.array(silenceId),
    maintenance: z.array(text).describe('Names of maintenance windows'),
    inhibited_by: alertId.nullable().describe('The alert that hides it'),
    waits_for_digest: z.boolean().describe('For the next digest, or for the end of the quiet hours'),
  })
  .describe('Why nobody is told of it now');

export const alertShape = z
  .object({
    id: alertId,
    title: text.describe('What is wrong, how much, and for whom'),
    rule: text,
    kind,
    level: z.enum([...WINDOW_LEVELS, ...KONG_LEVELS]),
    labels,
    state: z.enum(ALERT_STATES),
    severity: severity.describe('Rises with what is breached, and eases only after a calm'),
    value: z.number().nullable().describe("In the rule's own unit: ms, a share, a score or a factor"),
    value_text: text.nullable(),
    threshold: z.number().nullable().describe('The worst that is breached, else the mildest'),
    threshold_text: text.nullable(),
    samples: z.number().describe('How many requests the value rests on'),
    doubt: doubt.nullable().describe('Why the rule cannot tell'),
    since: time.nullable().describe('Since when it has been breached'),
    fired_at: time.nullable(),
    resolved_at: time.nullable(),
    acknowledged: acknowledgement.nullable(),
    flapping: z.boolean().describe('It fired so often lately that it resolves only after a longer calm'),
    muted: muted.nullable(),
    links: z.array(linkShape),
  })
  .describe("One rule's word about one scope");

export const evidenceShape = z
  .object({
    operations: z.array(
      z.object({
        service: text,
        operation: text,
        requests: count,
        errors: count,
        p95_ms: z.number().nullable(),
      }),
    ),
    error_types: z.array(z.object({ error_type: text, requests: count, errors: count })),
    addresses: z
      .array(z.object({ address: text, failures: count }))
      .describe('Upstream addresses at which tries failed'),
  })
  .describe("Where it fails and how, in the rule's window or its last hour; the worst first");

const ofEvent = {
  sequence: z.int().min(1).describe('Never that of another event'),
  at: time,
};

const ofAlert = { ...ofEvent, alert_id: alertId, rule: text, labels, severity };
const measured = { value: z.number().nullable(), threshold: z.number() };
const told = {
  channel: text,
  occasion: z.enum(OCCASIONS),
  message_id: text.describe('The same for all that was told in one message'),
};
const matchers = z.array(text).describe('Such as service="checkout"; all of them must match');
const ofSilence = {
  ...ofEvent,
  silence_id: silenceId,
  matchers,
  starts_at: time,
  ends_at: time,
  comment: text,
};
const endReason = z.enum([
  'recovered',
  'rule_removed',
  'not_observed',
  'forgotten',
]) satisfies z.ZodType<EndReason>;

export const eventShape = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('fired'), ...ofAlert, ...measured, since: time }),
    z.object({ kind: z.literal('worsened'), ...ofAlert, ...measured }),
    z.object({
      kind: z.literal('flapped'),
      ...ofAlert,
      firings: count.describe('How often it fired lately'),
    }),
    z.object({ kind: z.literal('acknowledged'), ...ofAlert, by: text, comment: text }),
    z.object({
      kind: z.literal('resolved'),
      ...ofAlert,
      ...measured,
      fired_at: time,
      end_reason: endReason,
    }),
    z.object({ kind: z.literal('notification_sent'), ...ofAlert, ...told }),
    z.object({ kind: z.literal('notification_failed'), ...ofAlert, ...told, reason: text }),
    z.object({ kind: z.literal('notification_discarded'), ...ofAlert, ...told, by: text }),
    z.object({ kind: z.literal('silence_created'), ...ofSilence, by: text }),
    z.object({
      kind: z.literal('silence_expired'),
      ...ofSilence,
      by: text.nullable().describe('null where its time was over'),
    }),
  ])
  .describe('Something that happened to an alert or a silence');

export const silenceShape = z.object({
  id: silenceId,
  state: z.enum(SILENCE_STATES),
  matchers,
  starts_at: time,
  ends_at: time,
  created_by: text,
  comment: text,
  created_at: time,
});

const letterId = text.regex(/^[0-9a-f]{16}$/);

export const deadLetterShape = z
  .object({
    id: letterId.describe('16 hexadecimal digits'),
    channel: text.describe('The last that should have taken it: the fallback, where there was one'),
    kind: z
      .enum(['group', 'digest', 'standing', 'change'])
      .describe("change: the news that Kong's configuration has changed"),
    how: z
      .enum(['refused', 'expired', 'dropped'])
      .describe(
        'refused: for good; expired: not until its deadline; dropped: there was no such channel, or no room',
      ),
    reason: text,
    failures: count.describe('Tries that failed and might have succeeded later'),
    failed_at: time.describe('When it was given up'),
    told_since: time
      .nullable()
      .describe('When its channel next took a message about the same alerts, so that this one is old news'),
    obsolete: z
      .boolean()
      .describe(
        'Nothing of it holds any more: what it says fires is over, or the other way round. It is not sent again, since nobody would be told so',
      ),
    title: text,
    alerts: z
      .array(z.object({ id: alertId, rule: text, occasion: z.enum(OCCASIONS) }))
      .describe('What it tells of; empty for a change'),
    text: text.describe('All that it tells, in lines'),
  })
  .describe('A message that no channel took');

export const alertListShape = z.object({
  total: count.describe('How many there are, those over the limit included'),
  alerts: z.array(alertShape).describe('What fires first, and of that the most severe'),
});

export const alertDetailShape = z.object({
  alert: alertShape,
  evidence: evidenceShape.nullable().describe('null where the rule is not about requests'),
  events: z.array(eventShape).describe('The newest of it, the newest first'),
});

export const eventListShape = z.object({
  events: z.array(eventShape).describe('The newest first'),
  next: z.int().nullable().describe('The `before` of the next page; null where there is none'),
});

export const acknowledgedShape = z.object({ alert: alertShape });

export const silenceListShape = z.object({ silences: z.array(silenceShape) });

export const oneSilenceShape = z.object({ silence: silenceShape });

export const deadLetterListShape = z.object({
  total: count,
  dead_letters: z.array(deadLetterShape).describe('The newest first'),
});

export const oneDeadLetterShape = z.object({ dead_letter: deadLetterShape });

export const faultShape = z.object({
  field: text.describe('Such as matchers[0]; empty for the whole'),
  expected: text,
  found: text,
});

export const errorShape = z.object({
  error: text.describe('One sentence for a person'),
  faults: z.array(faultShape).exactOptional(),
});

export type AlertDocument = z.infer<typeof alertShape>;
export type AlertDetail = z.infer<typeof alertDetailShape>;
export type EvidenceDocument = z.infer<typeof evidenceShape>;
export type EventDocument = z.infer<typeof eventShape>;
export type SilenceDocument = z.infer<typeof silenceShape>;
export type DeadLetterDocument = z.infer<typeof deadLetterShape>;
export type FieldFault = z.infer<typeof faultShape>;
export type ErrorDocument = z.infer<typeof errorShape>;

/** By the name that the API's document gives them. */
export const ANSWER_SHAPES = {
  Alert: alertShape,
  AlertList: alertListShape,
  AlertDetail: alertDetailShape,
  Acknowledged: acknowledgedShape,
  Evidence: evidenceShape,
  Event: eventShape,
  EventList: eventListShape,
  Silence: silenceShape,
  SilenceList: silenceListShape,
  OneSilence: oneSilenceShape,
  DeadLetter: deadLetterShape,
  DeadLetterList: deadLetterListShape,
  OneDeadLetter: oneDeadLetterShape,
  Error: errorShape,
} as const;

export type AnswerName = keyof typeof ANSWER_SHAPES;
