// The messages on which a template is tried when the configuration is read: one of two alerts, in which one name holds what a name may
// hold, and one that has little to tell.
import { NO_LABELS, type TemplateAlert, type TemplateVariables } from './template-variables';

const NO_LINKS = { runbook: '', dashboard: '', prometheus: '', sentry: '', gatewatch: '' };

const SLOW: TemplateAlert = {
  status: 'firing',
  occasion: 'fired',
  severity: 'critical',
  title: 'CRITICAL: High p95 latency: 812 ms on service "check" \\ out',
  sentences: [
    'The p95 latency is 812 ms, over the threshold of 500 ms.',
    'Rule p95_latency, severity critical.',
  ],
  labels: {
    ...NO_LABELS,
    alertname: 'p95_latency',
    kind: 'latency',
    level: 'service',
    severity: 'critical',
    service: '"check" \\ out',
  },
  startsAt: '2026-03-01T10:00:00.000Z',
  endsAt: '',
  value: 812,
  threshold: 500,
  valueText: '812 ms',
  thresholdText: '500 ms',
  acknowledgedBy: '',
  fingerprint: '0123456789abcdef',
  links: [{ name: 'runbook', url: 'https://runbooks.example/p95_latency' }],
  link: { ...NO_LINKS, runbook: 'https://runbooks.example/p95_latency' },
};

const QUIET: TemplateAlert = {
  ...SLOW,
  status: 'resolved',
  occasion: 'resolved',
  severity: 'error',
  title: 'Resolved: No traffic on the gateway',
  sentences: ['Requests for the gateway come again.'],
  labels: {
    ...NO_LABELS,
    alertname: 'absence',
    kind: 'traffic_absence',
    level: 'gateway',
    severity: 'error',
  },
  endsAt: '2026-03-01T10:12:00.000Z',
  value: null,
  threshold: null,
  valueText: '',
  thresholdText: '',
  acknowledgedBy: 'ada',
  fingerprint: 'fedcba9876543210',
  links: [],
  link: NO_LINKS,
};

export const TEMPLATE_SAMPLE: TemplateVariables = {
  id: 'c0ffee0123456789',
  kind: 'group',
  status: 'firing',
  severity: 'critical',
  title: 'CRITICAL: 1 alert fires, 1 resolved (service "check" \\ out)',
  text: [SLOW, QUIET].map(({ title, sentences }) => [title, ...sentences].join('\n')).join('\n\n'),
  notes: ['This is reminder 1.'],
  receiver: 'sample',
  groupKey: 'sample',
  groupLabels: NO_LABELS,
  commonLabels: NO_LABELS,
  externalURL: 'https://gatewatch.example',
  externalLabels: [{ name: 'cluster', value: 'eu-1' }],
  createdAt: '2026-03-01T10:12:00.000Z',
  firing: 1,
  repeat: 1,
  truncatedAlerts: 0,
  alerts: [SLOW, QUIET],
};

const ABSENT: TemplateAlert = {
  ...QUIET,
  status: 'firing',
  occasion: 'fired',
  title: 'ERROR: No traffic on the gateway',
  sentences: ['There were no requests for the gateway.'],
  endsAt: '',
  acknowledgedBy: '',
};

/** Nothing is in it that may be missing. */
export const SPARSE_SAMPLE: TemplateVariables = {
  ...TEMPLATE_SAMPLE,
  severity: 'error',
  title: ABSENT.title,
  text: [ABSENT.title, ...ABSENT.sentences].join('\n'),
  notes: [],
  externalURL: '',
  externalLabels: [],
  repeat: 0,
  alerts: [ABSENT],
};
