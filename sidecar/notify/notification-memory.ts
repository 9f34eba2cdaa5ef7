// Notifications that wait to be delivered, as plain data for the disk, and back.
import { z } from 'zod';
import { END_REASONS } from '../alert/alert-change';
import { decodeAlert, encodeAlert } from '../alert/alert-memory';
import { ALERT_LABELS } from '../config/notification-policy';
import type { Rule } from '../config/rule';
import { OCCASIONS } from '../route/message';
import { LINK_NAMES, type Notification, type NotificationItem } from './notification';

export function encodeNotification(notification: Notification): unknown {
  return {
    ...notification,
    items: notification.items.map(({ alert, ...item }) => ({ ...item, alert: encodeAlert(alert) })),
  };
}

/** `undefined` for what is not as it was written. @param rules of the configuration as it is now */
export function decodeNotification(value: unknown, rules: readonly Rule[]): Notification | undefined {
  const { data } = shape.safeParse(value);
  if (!data) return undefined;
  const items = data.items.map(
    ({ alert: plain, endReason, evidence, ...item }): NotificationItem | undefined => {
      const alert = decodeAlert(plain, rules);
      return alert && { ...item, alert, endReason: endReason ?? undefined, evidence: evidence ?? undefined };
    },
  );
  const whole = items.filter((item) => item !== undefined);
  if (whole.length !== data.items.length) return undefined;
  const { insteadOf, ...rest } = data;
  return { ...rest, items: whole, ...(insteadOf && { insteadOf }) };
}

const text = z.string();
const count = z.int().min(0);

const evidence = z.object({
  operations: z.array(
    z
      .object({ service: text, operation: text, requests: count, errors: count, p95Ms: count.nullish() })
      .transform(({ p95Ms, ...rest }) => ({ ...rest, p95Ms: p95Ms ?? undefined })),
  ),
  errorTypes: z.array(z.object({ errorType: text, requests: count, errors: count })),
  addresses: z.array(z.object({ address: text, failures: count })),
  lastMs: z.number().exactOptional(),
});

const shape = z.object({
  id: text,
  channel: text,
  kind: z.enum(['group', 'digest', 'standing']),
  groupKey: text,
  groupLabels: z.partialRecord(z.enum(ALERT_LABELS), text),
  items: z
    .array(
      z.object({
        alert: z.unknown(),
        occasion: z.enum(OCCASIONS),
        atMs: z.number(),
        endReason: z.enum(END_REASONS).nullish(),
        alertKey: text,
        evidence: evidence.nullish(),
        links: z.array(z.object({ name: z.enum(LINK_NAMES), url: text })),
        externalLabels: z.record(text, text),
      }),
    )
    .min(1),
  leftOut: count,
  firing: count,
  repeat: count,
  createdMs: z.number(),
  insteadOf: z.object({ channel: text, reason: text }).optional(),
});
