// Kong logs with a secret or a personal value in every place where a client, a credential or a consumer can put one. What a
// log is read into must hold none of them: `leaksOf` finds those that it does.
import fc from 'fast-check';

/** Stands in every planted value, upper or lower case, so that no part of a name is one by chance. */
const MARK = 'pl4nted';

/** What personal data may leave with its switch, of a log of this file. */
export const PERSONAL = {
  consumerId: 'b32379d9-3d28-5683-a79c-72139be6e34f',
  clientAddress: '203.0.113.77',
  path: `/${MARK}-path/orders`,
  declaredBodyBytes: 918_273_645,
} as const;

export const PLANTED_TRACE = '0af7651916cd43dd8448eb211c80319c';

export interface PlantedLog {
  /** As `kong.log.serialize()` gives it. */
  readonly text: string;
  readonly startedAtMs: number;
}

const HEADERS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'apikey',
  'user-agent',
  'host',
  'referer',
  'x-forwarded-for',
  'x-real-ip',
  'forwarded',
  'x-consumer-username',
  'x-consumer-custom-id',
  'x-credential-identifier',
  'tracestate',
  'content-type',
  'sentry-trace',
  'traceparent',
  'x-user-email',
];

/** A value that nothing may repeat, alone or in something that is nearly valid. */
const plantedText: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(
      '',
      'Bearer ',
      'session=',
      'a@b.example ',
      `00-${PLANTED_TRACE}-`,
      `${PLANTED_TRACE}-`,
      '\n',
      '😀',
    ),
    fc.nat({ max: 0xffffff }),
    fc.constantFrom('', '-01', '; secure', '\u0000', '"', 'x'.repeat(400)),
  )
  .map(([before, number, after]) => `${before}${MARK}-${number.toString(36)}${after}`);

/** Where Kong has a text there may be a list, or anything else. */
const planted: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: plantedText },
  { weight: 1, arbitrary: fc.array(plantedText, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: plantedText.map((text) => ({ [text]: [text, { deep: text }] })) },
);

const baggage: fc.Arbitrary<unknown> = fc
  .tuple(plantedText, fc.boolean(), fc.boolean())
  .map(([text, isOwn, isList]) => {
    const value = text.replaceAll(',', '');
    const members = [
      ...(isOwn ? [`sentry-trace_id=${PLANTED_TRACE}`, `sentry-public_key=${'ab'.repeat(16)}`] : []),
      ...[
        'public_key',
        'release',
        'environment',
        'transaction',
        'user_id',
        'user_segment',
        'replay_id',
        'sampled',
      ]
        .slice(isOwn ? 1 : 0)
        .map((field) => `sentry-${field}=${value}`),
      ...['sample_rate', 'sample_rand', 'org_id'].map((field) => `sentry-${field}=${value}`),
      `userId=${value};${value}=${value}`,
    ];
    return isList ? members : members.join(',');
  });

const headers = (kept: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Record<string, unknown>> =>
  fc.record({ ...Object.fromEntries(HEADERS.map((name) => [name, planted])), ...kept }, { requiredKeys: [] });

const oneTry = fc.record(
  {
    ip: fc.constantFrom('10.1.2.3', '2001:db8::5'),
    port: fc.constantFrom(8080, 443),
    state: fc.constantFrom('failed', undefined),
    code: fc.constantFrom(502, 504, undefined),
    balancer_start: fc.integer({ min: 1_795_462_353_000, max: 1_795_462_358_000 }),
    balancer_start_ns: fc.integer({ min: 1_795_462_353_000, max: 1_795_462_358_000 }).map((ms) => ms * 1e6),
    balancer_latency: fc.nat({ max: 9 }),
    balancer_latency_ns: fc.nat({ max: 9_000_000 }),
    hostname: planted,
    keepalive: planted,
  },
  { requiredKeys: [] },
);

const ms = fc.oneof(fc.nat({ max: 10_000 }), fc.constantFrom(-1, 0, 1e300, null));

/** Readable logs of errors and of none, proxied and not, with tries in and out of order. */
export const plantedLog: fc.Arbitrary<PlantedLog> = fc
  .record({
    isUnmatched: fc.boolean(),
    status: fc.constantFrom(200, 200, 400, 401, 403, 404, 408, 429, 499, 500, 502, 503, 504),
    grpcStatus: fc.constantFrom(undefined, '0', '4', '14'),
    method: fc.oneof(fc.constantFrom('GET', 'post'), plantedText),
    tries: fc.option(fc.array(oneTry, { maxLength: 14 }), { nil: undefined }),
    latencies: fc.record({ request: ms, kong: ms, proxy: ms, receive: ms }, { requiredKeys: [] }),
    startedAtMs: fc.constantFrom(1_795_462_353_479, 1_795_462_357_000),
    requestHeaders: headers({
      baggage,
      'sentry-trace': fc.oneof(fc.constant(`${PLANTED_TRACE}-b7ad6b7169203331-1`), planted),
      'content-length': fc.constant(String(PERSONAL.declaredBodyBytes)),
    }),
    responseHeaders: headers({ 'set-cookie': planted, location: planted, 'x-user': planted }),
    query: fc.dictionary(fc.constantFrom('token', 'email', MARK), planted),
    text: plantedText,
    value: planted,
    unknown: fc.dictionary(
      fc.constantFrom('ai', 'session', 'custom', 'upstream_uri', 'upstream_status'),
      planted,
    ),
    consumer: fc.boolean(),
    traceId: fc.oneof(
      fc.constant({ w3c: PLANTED_TRACE }),
      fc.dictionary(fc.constantFrom('w3c', 'b3', 'datadog'), planted),
    ),
  })
  .map((chosen) => {
    const { text, value } = chosen;
    const query = `token=${encodeURIComponent(text)}&email=${encodeURIComponent(text)}`;
    const route = {
      id: 'be0f3bed-1361-5d83-8a5e-e9bc92fc93a1',
      name: 'r-orders',
      paths: [`/${text}`, `~/users/(?<${MARK}>.*)`],
      hosts: [text],
      headers: { 'x-api-key': [text] },
      tags: [text],
      service: { id: text },
    };
    const service = {
      id: 'dea4c45f-3d88-5461-8ebd-05ae5bbbf87a',
      name: 'orders',
      host: 'orders.internal',
      port: 8080,
      protocol: 'http',
      path: `/${text}`,
      client_certificate: { id: text },
      tags: [text],
      url: `http://user:${text}@orders.internal`,
    };
    const log = {
      ...chosen.unknown,
      ...(chosen.isUnmatched ? {} : { route, service }),
      workspace: text,
      workspace_name: 'default',
      client_ip: PERSONAL.clientAddress,
      started_at: chosen.startedAtMs,
      source: value,
      tries: chosen.tries,
      latencies: { ...chosen.latencies, [text]: text },
      trace_id: chosen.traceId,
      upstream_uri: `/${text}?${query}`,
      authenticated_entity: { id: text, consumer_id: text, key: text },
      ...(chosen.consumer && {
        consumer: {
          id: PERSONAL.consumerId,
          username: text,
          custom_id: text,
          tags: [text],
          credentials: [{ key: text }],
        },
      }),
      request: {
        id: '57b56967b87b63706946ad5244e3da3b',
        method: chosen.method,
        size: 108,
        uri: `${PERSONAL.path};jsessionid=${encodeURIComponent(text)}?${query}`,
        url: `http://${MARK}.example:8000${PERSONAL.path}?${query}`,
        querystring: chosen.query,
        headers: chosen.requestHeaders,
        tls: { cipher: text, client_verify: text },
        body: value,
      },
      response: {
        status: chosen.status,
        size: 332,
        headers: {
          ...chosen.responseHeaders,
          ...(chosen.grpcStatus !== undefined && { 'grpc-status': chosen.grpcStatus, 'grpc-message': text }),
        },
        body: value,
      },
    };
    return { text: JSON.stringify(log), startedAtMs: chosen.startedAtMs };
  });

/**
 * @param sent whatever left, as text
 * @param sendsPersonalData whether the values of PERSONAL may be in it
 * @returns the planted values in it, with what stands around them; empty where nothing leaked
 */
export function leaksOf(sent: string, sendsPersonalData: boolean): string[] {
  const allowed = Object.values(PERSONAL).map(String);
  const rest = sendsPersonalData ? allowed.reduce((text, value) => text.replaceAll(value, ''), sent) : sent;
  const values = [MARK, ...(sendsPersonalData ? [] : allowed)];
  return values.flatMap((value) =>
    [...rest.matchAll(new RegExp(value.replaceAll('.', '\\.'), 'gi'))].map(({ index }) =>
      rest.slice(Math.max(0, index - 60), index + 60),
    ),
  );
}
