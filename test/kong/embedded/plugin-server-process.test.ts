import { STOP_TIMEOUT_MS } from '../../../kong/embedded/plugin-server-process';
import { DURATIONS_MS } from '../../../kong-plugin/plugin-schema';
import { SENTRY_TIMES_MS } from '../../../kong-plugin/sentry/settings/sentry-schema';

it('gives the plugin server the time in which it ends where neither Sentry nor the sidecar answers', () => {
  const stated = SENTRY_TIMES_MS.shutdown_timeout_ms.default + DURATIONS_MS.shutdown_timeout_ms.default;
  expect(STOP_TIMEOUT_MS).toBeGreaterThanOrEqual(stated + 1_000);
});
