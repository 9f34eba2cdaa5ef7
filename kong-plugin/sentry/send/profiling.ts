// Continuous profiling of this process. In: the client that sends the profiles, and the share of processes that are profiled.
// Out: chunks of a minute at most, as `profile_chunk` items of Sentry through that client's transport: about 100 samples a second
// of function names and files of code, those with the folders they are installed in; nothing of a request is in them.
// V8 has one profiler, so a process has one: the first client that wants it gets it, until it is stopped.
// Without its native part there is one warning and no profile. Nothing is loaded before a profile is wanted.
import { getGlobalScope } from '@sentry/core';
import type { NodeClient } from '@sentry/node';
import type { PluginLog } from '../../plugin-log';
import { loadProfiler, type ProfilerIntegration } from '../sdk/load-profiler';

export interface ProfilingOptions {
  /** 0 to 1: the share of processes that are profiled. */
  readonly sessionSampleRate: number;
  readonly log: PluginLog;
  /** 0 to below 1, always the same; only a test gives its own. */
  readonly random?: () => number;
}

/** A running profiler. */
export interface Profiling {
  /** Hands what is still unsent to the client's transport, before it returns. Called again, it does nothing. */
  stop(): void;
}

/** Drawn once: a process that is not to be profiled is not with its next configuration either. */
const DRAWN = Math.random();

let profiler: 'free' | 'taken' | 'unavailable' = 'free';

/**
 * @returns `undefined` where this process is not sampled, is profiled already, or has no native part
 */
export function startProfiling(
  client: NodeClient,
  { sessionSampleRate, log, random = () => DRAWN }: ProfilingOptions,
): Profiling | undefined {
  if (profiler !== 'free' || random() >= sessionSampleRate) return undefined;
  let integration: ProfilerIntegration;
  try {
    integration = loadProfiler();
  } catch (error) {
    profiler = 'unavailable';
    log('warn', 'profiling is switched on and cannot be done here; everything else works', {
      reason: error instanceof Error ? error.message : String(error),
      node: process.version,
      system: `${process.platform}-${process.arch}`,
      what_to_do:
        'install the packages on the system and the Node that run them (npm ci), or set continuous_profiling_auto_start to false',
    });
    return undefined;
  }
  profiler = 'taken';
  // Sampled is decided: the package would cast the dice again.
  Object.assign(client.getOptions(), { profileSessionSampleRate: 1, profileLifecycle: 'manual' });
  keepingGlobalScope(() => client.addIntegration(integration));
  integration._profiler.start();
  let isStopped = false;
  return {
    stop() {
      if (isStopped) return;
      isStopped = true;
      profiler = 'free';
      integration._profiler.stop();
      // Between two chunks the package has a start waiting in this queue, which would go on for ever.
      setImmediate(() => integration._profiler.stop()).unref();
    },
  };
}

/**
 * The package writes the profiler's id into the scope that all clients of a process share, so that their events point to its
 * profiles. Those of this process tell of the plugin server, the events of requests that it had no part in.
 */
function keepingGlobalScope(change: () => void): void {
  const before = getGlobalScope().getScopeData().contexts['profile'];
  change();
  getGlobalScope().setContext('profile', before ?? null);
}
