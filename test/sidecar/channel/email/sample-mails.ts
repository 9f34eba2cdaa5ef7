// Notifications as a night on call may bring them, for pictures and for what is looked at in a browser.
import type { Notification, NotificationItem } from '../../../../sidecar/notify/notification';
import { errorRateRule, latencyRule } from '../../../support/sample-rules';
import {
  SAMPLE_STARTED_MS,
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolvedItem,
} from '../../../support/sample-notification';

const LINKS = [
  { name: 'runbook', url: 'https://wiki.example.com/runbooks/checkout-errors' },
  { name: 'dashboard', url: 'https://grafana.example.com/d/gatewatch?var-service=checkout' },
  { name: 'prometheus', url: 'https://prometheus.example.com/graph?g0.expr=up' },
  { name: 'sentry', url: 'https://sentry.example.com/issues/?query=checkout' },
] as const;

const ERRORS = errorRateRule({ name: 'error_rate', windowMs: 300_000 });

export function firingMail(): Notification {
  return sampleNotification({
    service: 'checkout',
    rule: ERRORS,
    verdict: { value: 0.1234, threshold: 0.01, samples: 12_480 },
    item: {
      links: LINKS,
      evidence: {
        operations: [
          { service: 'checkout', operation: 'POST pay', requests: 2_104, errors: 1_302, p95Ms: 2_310 },
          { service: 'checkout', operation: 'GET basket', requests: 8_211, errors: 214, p95Ms: 410 },
          { service: 'checkout', operation: 'DELETE basket-item', requests: 640, errors: 24, p95Ms: 388 },
        ],
        errorTypes: [
          { errorType: 'upstream_timeout', requests: 1_204, errors: 1_204 },
          { errorType: 'upstream_server_error', requests: 336, errors: 336 },
        ],
        addresses: [{ address: '10.0.3.17:8080', failures: 1_188 }],
      },
    },
  });
}

export function resolvedMail(): Notification {
  const item = sampleResolvedItem({
    service: 'checkout',
    rule: ERRORS,
    verdict: { value: 0.0012, threshold: 0.01, samples: 13_002 },
    alert: {
      acknowledgement: { by: 'maria', comment: 'rolling back 4.2.1', atMs: SAMPLE_STARTED_MS + 180_000 },
    },
    item: { links: LINKS.slice(1) },
  });
  return sampleGroup([item], { service: 'checkout' });
}

export function groupMail(): Notification {
  const items: NotificationItem[] = [
    sampleItem({
      service: 'checkout',
      rule: ERRORS,
      verdict: { value: 0.1234, threshold: 0.01 },
      item: { links: LINKS },
    }),
    sampleItem({
      service: 'search',
      rule: latencyRule({ windowMs: 300_000 }),
      alert: { severity: 'warning' },
      item: { links: LINKS.slice(1, 2) },
    }),
    sampleResolvedItem({ service: 'basket' }),
  ];
  return sampleGroup(items, { message: { groupLabels: {}, repeat: 2 } });
}
