// What stands behind the API where there are no alerts, and nothing can be changed.
import type { ApiParts } from '../../sidecar/http/api/api';

export const IDLE_API: Omit<ApiParts, 'clock'> = {
  alerting: {
    alerts: () => [],
    muteReasons: () => new Map(),
    evidenceOf: () => undefined,
    events: () => ({ events: [], next: undefined }),
    acknowledge: () => Promise.resolve({ outcome: 'not_found' }),
    silences: [],
    silence: () => Promise.resolve({ faults: [] }),
    expire: () => Promise.resolve(undefined),
    deadLetters: () => [],
    sendAgain: () => Promise.resolve('not_found'),
    discard: () => Promise.resolve(false),
  },
  links: () => ({
    externalUrl: undefined,
    dashboardUrl: undefined,
    prometheusUrl: undefined,
    sentryUrl: undefined,
    runbookUrl: undefined,
  }),
  version: '1.2.3',
};
