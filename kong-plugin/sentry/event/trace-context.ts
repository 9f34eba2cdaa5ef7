// From what a request carried of a trace to the trace that it continues. The caller writes these headers, so of them leaves
// only what is in the strict form of its field: identifiers of hexadecimal digits, numbers, true and false. What is not is
// passed over as if it were absent, and the next carrier is asked:
//
// 1. `sentry-trace` (https://develop.sentry.dev/sdk/telemetry/traces/#header-sentry-trace)
// 2. `traceparent` (https://www.w3.org/TR/trace-context/, section 3.2)
// 3. `trace_id`, a table of formats that Kong's tracing plugins put into its log (`propagate` in Kong's
//    kong/tracing/propagation/init.lua): {"w3c": "…32 digits…", "datadog": "…a decimal number of 64 bits…"}
//
// The log has the headers as the upstream got them: with a tracing plugin of Kong, `traceparent` names Kong's span.

/** The headers' values as the log has them: a text, or a list of texts where a header was repeated. */
export interface TraceHeaders {
  readonly sentryTrace: unknown;
  readonly baggage: unknown;
  readonly traceparent: unknown;
}

export interface TraceParent {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits, not all zero; `undefined` where Kong's log alone names the trace. */
  readonly parentSpanId: string | undefined;
  /** What the caller decided; `undefined`: nothing. */
  readonly sampled: boolean | undefined;
  /** 0 to below 1: the number that every service of the trace compares with its rate. */
  readonly sampleRand: number | undefined;
  /** `undefined` where the baggage has none, or one of another trace. */
  readonly dynamicSamplingContext: IncomingSamplingContext | undefined;
}

/** Of the caller's dynamic sampling context what cannot hold a word of its own; no release, environment, transaction or user. */
export interface IncomingSamplingContext {
  readonly trace_id: string;
  readonly public_key: string;
  readonly sampled?: string;
  readonly sample_rate?: string;
  readonly sample_rand?: string;
  readonly org_id?: string;
}

/** Longer headers are not read: what the baggage specification asks of everybody to pass on (W3C Baggage, section 3.3.2). */
const MAX_HEADER_LENGTH = 8_192;

/**
 * @param headers of the request
 * @param kongTraceId the log's `trace_id`
 * @returns the trace to continue, `undefined` where nothing valid names one. Never throws.
 */
export function traceParentOf(headers: TraceHeaders, kongTraceId: unknown): TraceParent | undefined {
  const sentry = readSentryTrace(singleText(headers.sentryTrace));
  const w3c = readTraceparent(singleText(headers.traceparent));
  const named = sentry ?? w3c ?? readKongTraceId(kongTraceId);
  if (!named) return undefined;

  const baggage = readBaggage(joinedText(headers.baggage));
  const context = baggage?.trace_id === named.traceId ? baggage : undefined;
  const sampledByW3c = w3c?.traceId === named.traceId ? w3c.sampled : undefined;
  return {
    traceId: named.traceId,
    parentSpanId: named.parentSpanId,
    sampled: sentry?.sampled ?? sampledFlag(context?.sampled) ?? sampledByW3c,
    sampleRand: context?.sample_rand === undefined ? undefined : Number(context.sample_rand),
    dynamicSamplingContext: context,
  };
}

interface NamedTrace {
  readonly traceId: string;
  readonly parentSpanId: string | undefined;
  readonly sampled: boolean | undefined;
}

const SENTRY_TRACE = /^([\da-f]{32})-([\da-f]{16})(?:-([01]))?$/;

function readSentryTrace(text: string | undefined): NamedTrace | undefined {
  const [, traceId, spanId, flag] = SENTRY_TRACE.exec(text ?? '') ?? [];
  const sampled = flag === undefined ? undefined : flag === '1';
  return isIdentifier(traceId) && isIdentifier(spanId)
    ? { traceId, parentSpanId: spanId, sampled }
    : undefined;
}

/** A later version may have more behind another `-`; version 255 is none (section 3.2.2.1 and 4.3). */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const SAMPLED_BIT = 1;

function readTraceparent(text: string | undefined): NamedTrace | undefined {
  const [, version, traceId, spanId, flags = '', more] = TRACEPARENT.exec(text ?? '') ?? [];
  if (!isIdentifier(traceId) || !isIdentifier(spanId)) return undefined;
  if (version === '00' && more !== undefined) return undefined;
  return { traceId, parentSpanId: spanId, sampled: (parseInt(flags, 16) & SAMPLED_BIT) === SAMPLED_BIT };
}

/** Those of 128 bits first: what has only 64 may have lost the other half. */
const HEXADECIMAL_FORMATS = ['w3c', 'ot', 'b3', 'jaeger', 'aws', 'gcp'];

function readKongTraceId(formats: unknown): NamedTrace | undefined {
  if (typeof formats !== 'object' || formats === null) return undefined;
  const texts = Object.fromEntries(
    Object.entries(formats).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
  const hexadecimal = HEXADECIMAL_FORMATS.map((format) => texts[format] ?? '');
  const traceId = [
    ...hexadecimal.filter((text) => /^[\da-f]{32}$/.test(text)),
    ...hexadecimal.filter((text) => /^[\da-f]{16}$/.test(text)).map(as128Bits),
    ...decimalIdentifier(texts['datadog']),
  ].find(isIdentifier);
  return traceId === undefined ? undefined : { traceId, parentSpanId: undefined, sampled: undefined };
}

function decimalIdentifier(text = ''): string[] {
  if (!/^\d{1,20}$/.test(text)) return [];
  const digits = BigInt(text).toString(16);
  return digits.length <= 16 ? [as128Bits(digits)] : [];
}

function as128Bits(digits: string): string {
  return digits.padStart(32, '0');
}

function isIdentifier(digits: string | undefined): digits is string {
  return digits !== undefined && /[^0]/.test(digits);
}

/** Each optional field, and what it may hold. */
const OPTIONAL_FIELDS = {
  sampled: (text: string) => sampledFlag(text) !== undefined,
  sample_rate: (text: string) => isShare(text),
  sample_rand: (text: string) => isShare(text) && Number(text) < 1,
  org_id: (text: string) => /^\d{1,20}$/.test(text),
} as const;

/** W3C Baggage, of which Sentry's own entries begin with `sentry-`. */
function readBaggage(text: string | undefined): IncomingSamplingContext | undefined {
  const entries = new Map(
    (text ?? '').split(',').map((member): [string, string] => {
      const [key = '', value = ''] = (member.split(';')[0] ?? '').split('=');
      return [key.trim(), value.trim()];
    }),
  );
  const traceId = entries.get('sentry-trace_id') ?? '';
  const publicKey = entries.get('sentry-public_key') ?? '';
  if (!/^[\da-f]{32}$/.test(traceId) || !/^[\da-f]{32}$/.test(publicKey)) return undefined;
  const optional = Object.entries(OPTIONAL_FIELDS).flatMap(([field, isValid]) => {
    const value = entries.get(`sentry-${field}`) ?? '';
    return isValid(value) ? [[field, value] as const] : [];
  });
  return { trace_id: traceId, public_key: publicKey, ...Object.fromEntries(optional) };
}

function sampledFlag(text: string | undefined): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

function isShare(text: string): boolean {
  return /^\d(?:\.\d{1,20})?(?:e-\d{1,3})?$/.test(text) && Number(text) <= 1;
}

/** A header that may stand only once is none where it stands twice. */
function singleText(value: unknown): string | undefined {
  const only: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return typeof only === 'string' && only.length <= MAX_HEADER_LENGTH ? only.trim() : undefined;
}

function joinedText(value: unknown): string | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const texts = list.filter((part): part is string => typeof part === 'string');
  const length = texts.reduce((sum, part) => sum + part.length, 0);
  return length <= MAX_HEADER_LENGTH ? texts.join(',') : undefined;
}
