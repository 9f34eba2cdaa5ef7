import fc from 'fast-check';
import { readTraceParent } from '../../../../kong-plugin/sentry/event/read-trace-parent';
import { readRequestFacts } from '../../../../kong-plugin/sentry/event/request-facts';
import { traceParentOf, type TraceHeaders } from '../../../../kong-plugin/sentry/event/trace-context';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const OTHER_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = 'b7ad6b7169203331';
const KEY = '49d0f7386ad645858ae85020e393bef3';
const ZERO_TRACE = '0'.repeat(32);
const ZERO_SPAN = '0'.repeat(16);

function parentOf(headers: Partial<TraceHeaders>, kongTraceId?: unknown): ReturnType<typeof traceParentOf> {
  return traceParentOf(
    { sentryTrace: undefined, baggage: undefined, traceparent: undefined, ...headers },
    kongTraceId,
  );
}

describe('the trace that a request continues', () => {
  it('is none where nothing names one', () => {
    expect(parentOf({})).toBeUndefined();
  });

  it('is that of sentry-trace, before traceparent, before the one that Kong logged', () => {
    const sentryTrace = `${TRACE}-${SPAN}-1`;
    const traceparent = `00-${OTHER_TRACE}-${SPAN}-01`;
    const kongTraceId = { w3c: 'a'.repeat(32) };
    expect(parentOf({ sentryTrace, traceparent }, kongTraceId)?.traceId).toBe(TRACE);
    expect(parentOf({ traceparent }, kongTraceId)?.traceId).toBe(OTHER_TRACE);
    expect(parentOf({}, kongTraceId)).toMatchObject({
      traceId: 'a'.repeat(32),
      parentSpanId: undefined,
      sampled: undefined,
    });
  });

  it.each([
    ['of another length', `${TRACE}0-${SPAN}-1`],
    ['of capital letters', `${TRACE.toUpperCase()}-${SPAN}-1`],
    ['of no trace', `${ZERO_TRACE}-${SPAN}-1`],
    ['of no span', `${TRACE}-${ZERO_SPAN}-1`],
    ['of another flag', `${TRACE}-${SPAN}-2`],
    ['with words behind it', `${TRACE}-${SPAN}-1 and more`],
    ['with a line behind it', `${TRACE}-${SPAN}-1\nmore`],
    ['without a span', TRACE],
    ['that was sent twice', [`${TRACE}-${SPAN}-1`, `${TRACE}-${SPAN}-1`]],
    ['that is a number', 12],
  ])('is not that of a sentry-trace %s: the next one is asked', (_, sentryTrace) => {
    expect(parentOf({ sentryTrace })).toBeUndefined();
    const traceparent = `00-${OTHER_TRACE}-${SPAN}-00`;
    expect(parentOf({ sentryTrace, traceparent })).toMatchObject({ traceId: OTHER_TRACE, sampled: false });
  });

  it('is that of a sentry-trace with spaces around it, or alone in a list', () => {
    expect(parentOf({ sentryTrace: ` ${TRACE}-${SPAN}\t` })?.traceId).toBe(TRACE);
    expect(parentOf({ sentryTrace: [`${TRACE}-${SPAN}`] })?.traceId).toBe(TRACE);
  });

  it.each([
    [
      'of another version as long as the fields are there',
      `cc-${TRACE}-${SPAN}-01-what-the-future-is-like`,
      true,
    ],
    ['of another version without more', `01-${TRACE}-${SPAN}-00`, false],
    ['with flags that are not known yet', `00-${TRACE}-${SPAN}-fd`, true],
  ])('is that of a traceparent %s', (_, traceparent, sampled) => {
    expect(parentOf({ traceparent })).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, sampled });
  });

  it.each([
    ['of version ff', `ff-${TRACE}-${SPAN}-01`],
    ['of version 00 with more behind', `00-${TRACE}-${SPAN}-01-more`],
    ['of another version with more that is not apart', `cc-${TRACE}-${SPAN}-01more`],
    ['of no trace', `00-${ZERO_TRACE}-${SPAN}-01`],
    ['of no span', `00-${TRACE}-${ZERO_SPAN}-01`],
    ['of capital letters', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['without flags', `00-${TRACE}-${SPAN}`],
    ['that was sent twice', [`00-${TRACE}-${SPAN}-01`, `00-${OTHER_TRACE}-${SPAN}-01`]],
  ])('is not that of a traceparent %s: the one that Kong logged is asked', (_, traceparent) => {
    expect(parentOf({ traceparent })).toBeUndefined();
    expect(parentOf({ traceparent }, { b3: OTHER_TRACE })?.traceId).toBe(OTHER_TRACE);
  });

  it.each([
    ['the whole one where Kong has it', { datadog: '5', b3: SPAN, w3c: TRACE }, TRACE],
    ['the whole one in whatever format', { datadog: '5', w3c: 'no', aws: TRACE }, TRACE],
    ['64 bits with zeros before them', { b3: SPAN, datadog: '5' }, `${ZERO_SPAN}${SPAN}`],
    ["Datadog's decimal number", { datadog: '18446744073709551615' }, `${ZERO_SPAN}${'f'.repeat(16)}`],
    ['none for a number above 64 bits', { datadog: '18446744073709551616' }, undefined],
    ['none for 0', { w3c: ZERO_TRACE, b3: ZERO_SPAN, datadog: '0' }, undefined],
    ['none for a format that nobody knows', { mine: TRACE }, undefined],
    ['none for other types', { w3c: 5, b3: null, ot: [TRACE] }, undefined],
    ['none for a text', TRACE, undefined],
    ['none for a list', [TRACE], undefined],
  ])("is of Kong's trace_id %s", (_, kongTraceId, traceId) => {
    expect(parentOf({}, kongTraceId)?.traceId).toBe(traceId);
  });
});

describe("the caller's decision to sample", () => {
  const baggage = `sentry-trace_id=${TRACE},sentry-public_key=${KEY},sentry-sampled=false`;
  const traceparent = `00-${TRACE}-${SPAN}-01`;

  it('is that of sentry-trace, else of the baggage, else of traceparent', () => {
    expect(parentOf({ sentryTrace: `${TRACE}-${SPAN}-1`, baggage })?.sampled).toBe(true);
    expect(parentOf({ sentryTrace: `${TRACE}-${SPAN}-0`, traceparent })?.sampled).toBe(false);
    expect(parentOf({ sentryTrace: `${TRACE}-${SPAN}`, baggage, traceparent })?.sampled).toBe(false);
    expect(parentOf({ sentryTrace: `${TRACE}-${SPAN}`, traceparent })?.sampled).toBe(true);
    expect(parentOf({ baggage, traceparent })?.sampled).toBe(false);
  });

  it('is not taken from what speaks of another trace', () => {
    const sentryTrace = `${OTHER_TRACE}-${SPAN}`;
    expect(parentOf({ sentryTrace, baggage, traceparent })).toMatchObject({
      traceId: OTHER_TRACE,
      sampled: undefined,
      dynamicSamplingContext: undefined,
    });
  });
});

describe('the baggage of a continued trace', () => {
  const sentryTrace = `${TRACE}-${SPAN}-1`;
  const context = (baggage: unknown): unknown => parentOf({ sentryTrace, baggage })?.dynamicSamplingContext;
  const OWN = `sentry-trace_id=${TRACE},sentry-public_key=${KEY}`;

  it('gives the fields that hold no word', () => {
    const all = `${OWN},sentry-sampled=true,sentry-sample_rate=0.25,sentry-sample_rand=0.1234,sentry-org_id=17`;
    const words =
      'sentry-release=v1,sentry-environment=bob,sentry-transaction=%2Fusers%2Fbob,sentry-user_id=bob,who=bob';
    expect(context(`${words} , ${all};property=bob`)).toEqual({
      trace_id: TRACE,
      public_key: KEY,
      sampled: 'true',
      sample_rate: '0.25',
      sample_rand: '0.1234',
      org_id: '17',
    });
    expect(parentOf({ sentryTrace, baggage: all })?.sampleRand).toBe(0.1234);
  });

  it('may come in several headers', () => {
    expect(context([`sentry-trace_id=${TRACE}`, 12, `sentry-public_key=${KEY}`])).toEqual({
      trace_id: TRACE,
      public_key: KEY,
    });
  });

  it.each([
    'sentry-sampled=yes',
    'sentry-sample_rate=1.5',
    'sentry-sample_rate=-1',
    'sentry-sample_rate=bob',
    'sentry-sample_rand=1',
    'sentry-sample_rand=0x1',
    'sentry-org_id=bob',
  ])('has no field for %s', (member) => {
    expect(context(`${OWN},${member}`)).toEqual({ trace_id: TRACE, public_key: KEY });
  });

  it.each([
    ['without a trace', `sentry-public_key=${KEY}`],
    ['without a key', `sentry-trace_id=${TRACE}`],
    ['with a key of words', `sentry-trace_id=${TRACE},sentry-public_key=bob`],
    ['that is too long', `${OWN},${'x'.repeat(8_192)}`],
    ['that is too long in parts', [OWN, ...Array<string>(9).fill('x'.repeat(1_000))]],
    ['that is no text', { [OWN]: OWN }],
  ])('is none %s', (_, baggage) => {
    expect(context(baggage)).toBeUndefined();
  });
});

describe('whatever the headers are', () => {
  const anything = fc.oneof(
    fc.anything(),
    fc.string(),
    fc.constantFrom(TRACE, `${TRACE}-${SPAN}-1`, `00-${TRACE}-${SPAN}-01`, `sentry-trace_id=${TRACE}`),
  );

  it('a trace is named by its identifiers or not at all', () => {
    fc.assert(
      fc.property(
        anything,
        anything,
        anything,
        anything,
        (sentryTrace, baggage, traceparent, kongTraceId) => {
          const parent = traceParentOf({ sentryTrace, baggage, traceparent }, kongTraceId);
          if (!parent) return;
          expect(parent.traceId).toMatch(/^(?!0{32})[\da-f]{32}$/);
          if (parent.parentSpanId !== undefined)
            expect(parent.parentSpanId).toMatch(/^(?!0{16})[\da-f]{16}$/);
        },
      ),
      { seed: 1 },
    );
  });

  it('is read alike with and without the rest of the log', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(
        `${TRACE}-${SPAN}-1`,
        `00-${OTHER_TRACE}-${SPAN}-01`,
        `sentry-trace_id=${TRACE},sentry-public_key=${KEY}`,
      ),
    );
    const log = fc.record(
      {
        trace_id: fc.oneof(fc.jsonValue(), fc.constant({ w3c: TRACE })),
        request: fc.record(
          {
            headers: fc.record(
              { 'sentry-trace': value, traceparent: value, baggage: value },
              { requiredKeys: [] },
            ),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    );
    const settings = { sendsPersonalData: false, sendsBodySize: false };
    fc.assert(
      fc.property(log, (document) => {
        const text = JSON.stringify(document);
        const expected = readRequestFacts(text, settings)?.traceParent;
        expect(readTraceParent(text)).toEqual(expected);
        expect(readTraceParent(Buffer.from(text))).toEqual(expected);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('is none of a log that is no JSON', () => {
    expect(readTraceParent(`{"traceparent":"00-${TRACE}-${SPAN}-01"`)).toBeUndefined();
  });
});
