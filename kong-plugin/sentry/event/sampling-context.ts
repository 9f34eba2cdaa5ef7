// The dynamic sampling context of an event: what Sentry decides by, for a whole trace, whether to keep it
// (https://develop.sentry.dev/sdk/telemetry/traces/dynamic-sampling-context/). All events of a trace must have the same, so
// that of the caller is passed on unchanged, and only where there is none the gateway is the head of the trace.
// `createEventEnvelope` of @sentry/core 11.1.0 takes it from `sdkProcessingMetadata.dynamicSamplingContext`, removes it from
// the event, and puts it into the envelope's header as `trace`.
import type { DynamicSamplingContext } from '@sentry/core';
import type { RequestTrace } from './request-trace';
import type { TraceSample } from '../decide/trace-sampling';

/** Where events go, and from where. */
export interface EventOrigin {
  /** Of the DSN; `undefined`: only Spotlight gets the events, which samples nothing. */
  readonly publicKey: string | undefined;
  readonly environment: string;
  readonly release: string;
}

/**
 * @param transaction its name
 * @param sample `undefined`: no traces are sent
 */
export function samplingContext(
  trace: RequestTrace,
  { publicKey, environment, release }: EventOrigin,
  transaction: string,
  sample: TraceSample | undefined,
): Partial<DynamicSamplingContext> | undefined {
  const incoming = trace.parent?.dynamicSamplingContext;
  if (incoming) return { ...incoming };
  if (publicKey === undefined) return undefined;
  return {
    trace_id: trace.traceId,
    public_key: publicKey,
    environment,
    release,
    transaction,
    ...(sample && { sample_rate: String(sample.rate), sampled: String(sample.isSampled) }),
  };
}
