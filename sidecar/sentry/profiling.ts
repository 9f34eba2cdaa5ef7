// Continuous profiling of the sidecar, from its start to its end, in chunks of a minute. Without the native part for this system
// and Node there is one warning and no profile.
import { createRequire } from 'node:module';
import type { NodeClient } from '@sentry/node';
import type { ProfilingIntegration } from '@sentry/core';
import type * as ProfilingNode from '@sentry/profiling-node';
import type { Logger } from 'pino';

/** @returns what ends it and hands the last chunk to the client; does nothing where nothing was started */
export function startProfiling(client: NodeClient, logger: Logger): () => void {
  let integration: ProfilingIntegration<NodeClient>;
  try {
    integration = quietly(loadIntegration);
  } catch (error) {
    logger.warn(
      {
        reason: firstLineOf(error),
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

/** @throws Error that says what is missing */
function loadIntegration(): ProfilingIntegration<NodeClient> {
  const load = createRequire(__filename);
  const { nodeProfilingIntegration } = load('@sentry/profiling-node') as typeof ProfilingNode;
  // Where it has none for this system, the package says so on stdout, loads all the same, and profiles nothing.
  const { PrivateCpuProfilerBindings: native } = createRequire(load.resolve('@sentry/profiling-node'))(
    '@sentry/node-cpu-profiler',
  ) as { PrivateCpuProfilerBindings?: { startProfiling?: unknown; stopProfiling?: unknown } };
  if (typeof native?.startProfiling !== 'function' || typeof native.stopProfiling !== 'function') {
    throw new Error('@sentry/node-cpu-profiler has no native part for this system and this Node');
  }
  return nodeProfilingIntegration() as ProfilingIntegration<NodeClient>;
}

/** The warning above is the only one. */
function quietly<Result>(load: () => Result): Result {
  const { log, warn } = console;
  console.log = console.warn = () => undefined;
  try {
    return load();
  } finally {
    Object.assign(console, { log, warn });
  }
}

function firstLineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
