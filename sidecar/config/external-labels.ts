// Labels that tell the alerts of this sidecar from those of another, as `external_labels` of Prometheus do: in every message, and part
// of what receivers know an alert by.
import { z } from 'zod';
import { ALERT_LABELS } from './notification-policy';

export type ExternalLabels = Readonly<Record<string, string>>;

const MOST_LABELS = 10;

/** Names that every Alertmanager takes, and that no alert has by itself: https://prometheus.io/docs/concepts/data_model/ */
const ERROR = `at most ${MOST_LABELS} labels such as cluster: eu-1: names of letters, digits and _, not ${['alertname', ...ALERT_LABELS].join(', ')}; texts of 1 to 200 printable characters`;

export const externalLabels = z
  .record(
    z
      .string({ error: ERROR })
      .regex(/^(?!__)[A-Za-z_]\w{0,99}$/, { error: ERROR })
      .refine((key) => !['alertname', ...ALERT_LABELS].includes(key), { error: ERROR }),
    z.string({ error: ERROR }).regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u, { error: ERROR }),
    { error: ERROR },
  )
  .refine((labels) => Object.keys(labels).length <= MOST_LABELS, { error: ERROR });
