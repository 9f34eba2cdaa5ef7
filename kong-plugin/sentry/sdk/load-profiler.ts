// The profiler of @sentry/profiling-node, for the plugin server and for the sidecar. It is loaded here and not before, and where
// its native part cannot be used that is one error, with nothing on the console.
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type { ProfilingIntegration } from '@sentry/core';
import type { NodeClient } from '@sentry/node';
import type * as ProfilingNode from '@sentry/profiling-node';

/** What the package's own integration has; its typings leave the profiler out. */
export type ProfilerIntegration = ProfilingIntegration<NodeClient>;

/** @throws Error whose message is one line that says what is missing */
export function loadProfiler(): ProfilerIntegration {
  const { log, warn } = console;
  // Kong reads the plugin server's output, and the one warning is the caller's.
  console.log = console.warn = () => undefined;
  try {
    return load();
  } catch (error) {
    const [firstLine] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
    throw new Error(firstLine, { cause: error });
  } finally {
    Object.assign(console, { log, warn });
  }
}

function load(): ProfilerIntegration {
  if (!isMainThread) throw new Error('only the main thread of a process can be profiled');
  const require = createRequire(__filename);
  const { nodeProfilingIntegration } = require('@sentry/profiling-node') as typeof ProfilingNode;
  // Where it has no native part for this system, the package says so on stdout, loads all the same, and profiles nothing.
  const { PrivateCpuProfilerBindings: native } = createRequire(require.resolve('@sentry/profiling-node'))(
    '@sentry/node-cpu-profiler',
  ) as { PrivateCpuProfilerBindings?: { startProfiling?: unknown; stopProfiling?: unknown } };
  if (typeof native?.startProfiling !== 'function' || typeof native.stopProfiling !== 'function') {
    throw new Error('@sentry/node-cpu-profiler has no native part for this system and this Node');
  }
  return nodeProfilingIntegration() as ProfilerIntegration;
}
