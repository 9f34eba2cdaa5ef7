// One question to one Kong: GET /status of its status API, which says that it lives, then GET /metrics, which says what
// it served and how its targets are. In: the address, and a signal that ends the question. Out: what it answered.
//
// Redirects are not followed: the answer must be Kong's own. A new connection each time, so that it is seen whether Kong
// still takes any. Answers that are too long are given up: nothing of them is used, since a part would be taken for the
// whole. The certificate of an https address must be trusted: Kong's own default one is not (NODE_EXTRA_CA_CERTS names
// it).
import { StringDecoder } from 'node:string_decoder';
import { request } from 'undici';
import { errorCodeOf } from '../error-code';
import { routinely } from '../sentry/outgoing-requests';
import { MetricsReader, type KongMetrics } from './metrics-reader';

export interface KongAnswer {
  /** /status answered as Kong does. */
  readonly isReachable: boolean;
  /** Every request that nginx has taken since Kong's start, these questions too. `undefined` where it did not say. */
  readonly nginxRequests: number | undefined;
  /** Of its configuration; `undefined` where it did not say. */
  readonly configurationHash: string | undefined;
  /** `undefined` where they could not be had. */
  readonly metrics: KongMetrics | undefined;
  /** Why something could not be had; neither the address nor an answer's text is in it. */
  readonly problem: string | undefined;
}

/** The lists of Lua memory in it grow with the workers, some hundred bytes for each. */
const MOST_STATUS_BYTES = 1024 * 1024;
/** Some 400,000 lines: Kong itself is in trouble before. */
export const MOST_METRICS_BYTES = 64 * 1024 * 1024;

/** What went wrong, said for people. */
class Problem extends Error {}

/**
 * Never rejects.
 *
 * @param statusUrl such as http://127.0.0.1:8101; a path in it stands before those of the API
 * @param signal ends the question, whose rest then counts as not answered in time
 */
export async function askKong(statusUrl: string, signal: AbortSignal): Promise<KongAnswer> {
  let status: KongStatus = { nginxRequests: undefined, configurationHash: undefined };
  try {
    status = await askStatus(statusUrl, signal);
  } catch (error) {
    const problem = describe('/status', error, signal);
    return { isReachable: false, ...status, metrics: undefined, problem };
  }
  try {
    const metrics = await askMetrics(statusUrl, signal);
    return { isReachable: true, ...status, metrics, problem: undefined };
  } catch (error) {
    const problem = describe('/metrics', error, signal);
    return { isReachable: true, ...status, metrics: undefined, problem };
  }
}

type KongStatus = Pick<KongAnswer, 'nginxRequests' | 'configurationHash'>;

/** Kong answers 200 even where its database is away: it goes on with what it knows. */
async function askStatus(statusUrl: string, signal: AbortSignal): Promise<KongStatus> {
  let text = '';
  await get(statusUrl, '/status', MOST_STATUS_BYTES, signal, (piece) => (text += piece));
  const status = parse(text);
  const server = fieldOf(status, 'server');
  if (typeof server !== 'object' || server === null) throw new Problem('answers, but not as Kong does');
  const requests = fieldOf(server, 'total_requests');
  const hash = fieldOf(status, 'configuration_hash');
  return {
    nginxRequests: typeof requests === 'number' ? requests : undefined,
    configurationHash: typeof hash === 'string' && /^[0-9a-f]{1,64}$/.test(hash) ? hash : undefined,
  };
}

async function askMetrics(statusUrl: string, signal: AbortSignal): Promise<KongMetrics> {
  const reader = new MetricsReader();
  await get(statusUrl, '/metrics', MOST_METRICS_BYTES, signal, (piece) => reader.add(piece));
  const metrics = reader.end();
  if (metrics.isForeign) throw new Problem('answers, but not as Kong does');
  if (metrics.isDamaged) throw new Problem('has requests in a form that cannot be read');
  return metrics;
}

/** @throws where the answer is not a whole one with status 200 */
async function get(
  statusUrl: string,
  path: string,
  mostBytes: number,
  signal: AbortSignal,
  take: (piece: string) => void,
): Promise<void> {
  const { origin, pathname } = new URL(statusUrl);
  const { statusCode, body } = await routinely(() =>
    request(`${origin}${pathname.replace(/\/+$/, '')}${path}`, {
      headers: { 'user-agent': 'gatewatch', accept: '*/*' },
      signal,
      reset: true,
    }),
  );
  if (statusCode !== 200) {
    await body.dump();
    const hint = statusCode === 404 && path === '/metrics' ? ': is the prometheus plugin on?' : '';
    throw new Problem(`answers ${statusCode}${hint}`);
  }
  const decoder = new StringDecoder('utf8');
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Problem(`answers more than ${mostBytes / 1024 / 1024} MB`);
    take(decoder.write(chunk));
  }
  take(decoder.end());
}

function describe(path: string, error: unknown, signal: AbortSignal): string {
  if (error instanceof Problem) return `${path} ${error.message}`;
  // It has no code: another protocol, or a body that broke off.
  if (fieldOf(error, 'name') === 'HTTPParserError') return `${path} answers, but not in whole HTTP`;
  return signal.aborted
    ? `${path} does not answer in time`
    : `${path} cannot be asked: ${errorCodeOf(error)}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
