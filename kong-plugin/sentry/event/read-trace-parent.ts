// From the text of a Kong log to the trace that the request continues, without parsing the rest of it: asked for every
// request where a caller's sampling decision counts. A log of 2 kB without a trace costs 2 µs.
import { jsonPicker } from '../../pick-json';
import { traceParentOf, type TraceParent } from './trace-context';

/** In the order in which `readTraceParent` takes them apart. */
const pick = jsonPicker([
  ['trace_id'],
  ['request', 'headers', 'sentry-trace'],
  ['request', 'headers', 'baggage'],
  ['request', 'headers', 'traceparent'],
]);

/** Each carrier's name as a JSON text has it; a name that JSON escapes is not what Kong writes. */
const CARRIERS = ['"sentry-trace"', '"traceparent"', '"trace_id"'].map((name) => Buffer.from(name));
const IN_EACH_CARRIER = Buffer.from('trace');

/** @returns the same as `readRequestFacts` gives, `undefined` where there is none or the log is no JSON. Never throws. */
export function readTraceParent(log: string | Buffer): TraceParent | undefined {
  const bytes = typeof log === 'string' ? Buffer.from(log) : log;
  if (!bytes.includes(IN_EACH_CARRIER) || !CARRIERS.some((name) => bytes.includes(name))) return undefined;
  const [kongTraceId, sentryTrace, baggage, traceparent] = values(bytes) ?? [];
  return traceParentOf({ sentryTrace, baggage, traceparent }, kongTraceId);
}

function values(log: Buffer): unknown[] | undefined {
  try {
    return pick(log);
  } catch {
    return undefined;
  }
}
