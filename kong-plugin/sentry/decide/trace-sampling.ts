// Whether the transaction of a request goes to Sentry, decided once everything about the request is known.
import type { TraceParent } from '../event/trace-context';
import type { TracingSettings } from '../settings/sentry-settings';

export interface SampledRequest {
  /** Whether an error event of the request goes: its trace goes with it. */
  readonly hasIssue: boolean;
  /** Upstream and gateway time, ms. */
  readonly durationMs: number;
  readonly parent: Pick<TraceParent, 'sampled' | 'sampleRand'> | undefined;
}

export interface TraceSample {
  readonly isSampled: boolean;
  /** 0 to 1: how many of such requests are sampled, from which Sentry reckons how many there were. 1 for errors and slow ones. */
  readonly rate: number;
}

const ALWAYS: TraceSample = { isSampled: true, rate: 1 };
const NEVER: TraceSample = { isSampled: false, rate: 0 };

/**
 * The first that applies: an error and a slow request always, else what the parent decided, else the rate. Where the parent is
 * followed but decided nothing, its random number is compared with the rate in place of ours, so that services of one rate
 * keep the same traces.
 *
 * @param random 0 to below 1
 */
export function sampleTrace(request: SampledRequest, settings: TracingSettings, random: number): TraceSample {
  if (request.hasIssue || request.durationMs >= settings.slowMs) return ALWAYS;
  const parent = settings.followsParent ? request.parent : undefined;
  if (parent?.sampled !== undefined) return parent.sampled ? ALWAYS : NEVER;
  return { isSampled: (parent?.sampleRand ?? random) < settings.sampleRate, rate: settings.sampleRate };
}
