// One range query to a Prometheus: GET /api/v1/query_range. In: a query, a range, how to say who asks. Out: the series with their values
// at each step. https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
// Neither passwords nor tokens are in what is told of a failure. Redirects are not followed: a token is for the address it was given for.
import { request } from 'undici';
import { z } from 'zod';
import { errorCodeOf } from '../error-code';
import { PastFault } from './past';

export interface RangeQuery {
  readonly query: string;
  /** Unix ms, both included. */
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export interface PrometheusSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Unix seconds and the value as text, as Prometheus gives them. */
  readonly values: readonly (readonly [seconds: number, value: string])[];
}

export interface PrometheusAnswer {
  readonly series: readonly PrometheusSeries[];
  /** What Prometheus itself says is missing. */
  readonly warnings: readonly string[];
}

export interface PrometheusAccess {
  /** Such as http://127.0.0.1:9090; a path in it stands before that of the API, a name and a password are for basic authentication. */
  readonly url: URL;
  /** The whole value of the authorization header. */
  readonly authorization: string | undefined;
}

/** Prometheus itself gives a query up after two minutes. */
const TIMEOUT_MS = 150_000;
/** Some hours of a very large gateway. */
const MOST_ANSWER_BYTES = 256 * 1024 * 1024;
const MOST_SHOWN = 300;

const answerShape = z.object({
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        // Checking each of a million pairs would take longer than all else.
        values: z.custom<PrometheusSeries['values']>(Array.isArray),
      }),
    ),
  }),
  warnings: z.array(z.string()).optional(),
});

const faultShape = z.object({ errorType: z.string(), error: z.string() });

/** @throws PastFault */
export async function askPrometheus(access: PrometheusAccess, query: RangeQuery): Promise<PrometheusAnswer> {
  const place = showUrl(access.url);
  const { status, text } = await get(access, query, place);
  if (status !== 200) throw new PastFault(`${place} answers ${status}${explain(status, text)}`);
  const read = answerShape.safeParse(parse(text));
  if (!read.success) throw new PastFault(`${place} answers, but not as Prometheus does`);
  const { data, warnings = [] } = read.data;
  return {
    series: data.result.map(({ metric, values }) => ({ labels: metric, values })),
    warnings: warnings.map(show),
  };
}

async function get(
  { url, authorization }: PrometheusAccess,
  { query, startMs, endMs, stepMs }: RangeQuery,
  place: string,
): Promise<{ status: number; text: string }> {
  const parameters = new URLSearchParams({
    query,
    start: (startMs / 1000).toFixed(3),
    end: (endMs / 1000).toFixed(3),
    step: (stepMs / 1000).toFixed(3),
  });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const { statusCode, body } = await request(
      `${addressOf(url)}/api/v1/query_range?${parameters.toString()}`,
      {
        headers: {
          'user-agent': 'gatewatch',
          accept: 'application/json',
          ...(authorization === undefined ? {} : { authorization }),
        },
        headersTimeout: TIMEOUT_MS,
        signal,
      },
    );
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of body as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > MOST_ANSWER_BYTES)
        throw new PastFault(
          `${place} answers more than ${MOST_ANSWER_BYTES / 1024 / 1024} MB; take a larger --step`,
        );
      pieces.push(piece);
    }
    return { status: statusCode, text: Buffer.concat(pieces).toString('utf8') };
  } catch (error) {
    if (error instanceof PastFault) throw error;
    if (signal.aborted) throw new PastFault(`${place} does not answer within ${TIMEOUT_MS / 1000} s`);
    throw new PastFault(`${place} cannot be asked: ${errorCodeOf(error)}`);
  }
}

/** Without name, password, query and the slashes at its end. */
function addressOf({ origin, pathname }: URL): string {
  return origin + pathname.replace(/\/+$/, '');
}

function showUrl(url: URL): string {
  return `Prometheus at ${addressOf(url)}`;
}

function explain(status: number, text: string): string {
  if (status === 401 || status === 403)
    return (
      ': it wants to know who asks. Set GATEWATCH_PROMETHEUS_TOKEN or --token-file, or GATEWATCH_PROMETHEUS_USER and ' +
      'GATEWATCH_PROMETHEUS_PASSWORD'
    );
  const fault = faultShape.safeParse(parse(text));
  if (fault.success) return ` (${show(fault.data.errorType)}): ${show(fault.data.error)}`;
  if (status === 404) return ': is it the address of a Prometheus, without /api/v1?';
  return status >= 300 && status < 400 ? ': it sends on to another address, which is not followed' : '';
}

function show(text: string): string {
  const plain = text.replace(/[\p{C}\p{Z}]+/gu, ' ');
  return plain.length > MOST_SHOWN ? `${plain.slice(0, MOST_SHOWN - 1)}…` : plain;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
