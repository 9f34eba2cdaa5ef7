// The identifiers under which a request stands in its trace: its error event and its transaction have the same, by which
// Sentry shows them together. A trace that nobody began is named by Kong's request id, which the client was told and which
// stands in Kong's own logs.
import type { RequestFacts } from './request-facts';
import type { TraceParent } from './trace-context';

export interface RequestTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Of the transaction, 16 hexadecimal digits. */
  readonly spanId: string;
  readonly parent: TraceParent | undefined;
}

/** Hexadecimal digits that `requestTrace` needs: 24 random bytes. */
export const RANDOM_DIGITS = 48;

/** @param randomDigits RANDOM_DIGITS hexadecimal digits */
export function requestTrace(
  { traceParent, requestId }: Pick<RequestFacts, 'traceParent' | 'requestId'>,
  randomDigits: string,
): RequestTrace {
  return {
    traceId: traceParent?.traceId ?? requestId ?? randomDigits.slice(16, RANDOM_DIGITS),
    spanId: randomDigits.slice(0, 16),
    parent: traceParent,
  };
}

const SPAN_IDS = 1n << 64n;

/** @param number of the child, from 1: the same child has the same id, and none has that of the transaction */
export function childSpanId({ spanId }: RequestTrace, number: number): string {
  const id = (BigInt(`0x${spanId}`) + BigInt(number)) % SPAN_IDS;
  return (id === 0n ? SPAN_IDS - 1n : id).toString(16).padStart(16, '0');
}

/** Where an event stands in its trace, as Sentry's `contexts.trace` has it. */
export function traceIdentity({ traceId, spanId, parent }: RequestTrace): {
  trace_id: string;
  span_id: string;
  parent_span_id?: string;
} {
  return {
    trace_id: traceId,
    span_id: spanId,
    ...(parent?.parentSpanId !== undefined && { parent_span_id: parent.parentSpanId }),
  };
}
