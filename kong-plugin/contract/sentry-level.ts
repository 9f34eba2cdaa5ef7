// Sentry's word for how bad something is.
import type { Severity } from './severity';

export const SENTRY_LEVEL_OF = {
  info: 'info',
  warning: 'warning',
  error: 'error',
  critical: 'fatal',
} as const satisfies Readonly<Record<Severity, string>>;
