// The fields Gatewatch reads of the JSON string that `kong.log.serialize()` gives (Kong 3.9), and their tolerant reading:
// a field that is absent or of another type is `undefined`, so the steps behind this one meet no surprise.

export interface KongTry {
  /** When Kong began to choose a target, Unix ms with fractions. */
  balancerStartMs: number;
  /** How long choosing took, ms with fractions. */
  balancerLatencyMs: number;
  failed: boolean;
  /** 502 or 504 for a failed try. */
  code: number | undefined;
}

export interface KongLog {
  status: number | undefined;
  method: string | undefined;
  service: { name: string | undefined; host: string | undefined } | undefined;
  route: { name: string | undefined; id: string | undefined } | undefined;
  /** Kong's own word for who answered; says `upstream` for an aborted upload and `kong` for an upstream's 504. */
  source: string | undefined;
  /** Absent where no route matched, empty where Kong never chose a target. */
  tries: KongTry[] | undefined;
  /** Time charged to Kong and time charged to the last try, ms. */
  kongMs: number | undefined;
  proxyMs: number | undefined;
  grpcStatus: number | undefined;
}

/** Reads a log document; `undefined` when the text is not a JSON object. Never throws. */
export function readKongLog(text: unknown): KongLog | undefined {
  if (typeof text !== 'string') return undefined;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(document)) return undefined;
  const response = recordOf(document['response']);
  const latencies = recordOf(document['latencies']);
  const service = document['service'];
  const route = document['route'];
  return {
    status: numberOf(response['status']),
    method: textOf(recordOf(document['request'])['method']),
    service: isRecord(service) ? { name: textOf(service['name']), host: textOf(service['host']) } : undefined,
    route: isRecord(route) ? { name: textOf(route['name']), id: textOf(route['id']) } : undefined,
    source: textOf(document['source']),
    tries: Array.isArray(document['tries']) ? document['tries'].filter(isRecord).map(readTry) : undefined,
    kongMs: numberOf(latencies['kong']),
    proxyMs: numberOf(latencies['proxy']),
    grpcStatus: wholeNumberIn(recordOf(response['headers'])['grpc-status']),
  };
}

function readTry(document: Record<string, unknown>): KongTry {
  const startNs = numberOf(document['balancer_start_ns']);
  const latencyNs = numberOf(document['balancer_latency_ns']);
  return {
    balancerStartMs: startNs === undefined ? (numberOf(document['balancer_start']) ?? 0) : startNs / 1e6,
    balancerLatencyMs:
      latencyNs === undefined ? (numberOf(document['balancer_latency']) ?? 0) : latencyNs / 1e6,
    failed: document['state'] === 'failed',
    code: numberOf(document['code']),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function wholeNumberIn(value: unknown): number | undefined {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : numberOf(value);
}
