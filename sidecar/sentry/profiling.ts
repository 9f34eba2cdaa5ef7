// Continuous profiling of the sidecar, from its start to its end, in chunks of a minute. Without the native part for this system
// and Node there is one warning and no profile.
import type { NodeClient } from '@sentry/node';
import type { Logger } from 'pino';
import { loadProfiler, type ProfilerIntegration } from '../../kong-plugin/sentry/sdk/load-profiler';

/** @returns what ends it and hands the last chunk to the client; does nothing where nothing was started */
export function startProfiling(client: NodeClient, logger: Logger): () => void {
  let integration: ProfilerIntegration;
  try {
    integration = loadProfiler();
  } catch (error) {
    logger.warn(
      {
        reason: error instanceof Error ? error.message : String(error),
        node: process.version,
        system: `${process.platform}-${process.arch}`,
      },
      'the sidecar cannot be profiled here; everything else works. Install its packages on this system and this Node, or set ' +
        'profile_session_sample_rate to 0',
    );
    return () => undefined;
  }
  client.addIntegration(integration);
  integration._profiler.start();
  return () => integration._profiler.stop();
}
