// The fields Gatewatch reads of the JSON string that `kong.log.serialize()` gives (Kong 3.9), and their tolerant reading:
// a field that is absent or of another type is `undefined`, so the steps behind this one meet no surprise.
import { jsonPicker } from './pick-json';

export interface KongTry {
  /** When Kong began to choose a target, Unix ms with fractions. */
  balancerStartMs: number;
  /** How long choosing took, ms with fractions. */
  balancerLatencyMs: number;
  /** The target that was tried. */
  ip: string | undefined;
  port: number | undefined;
  failed: boolean;
  /** 502 or 504 for a failed try; what is no whole number of up to three digits is none. */
  code: number | undefined;
}

export interface KongLog {
  status: number | undefined;
  method: string | undefined;
  service: { name: string | undefined; host: string | undefined };
  route: { name: string | undefined; id: string | undefined };
  /** Kong's own word for who answered; says `upstream` for an aborted upload and `kong` for an upstream's 504. */
  source: string | undefined;
  /** Absent where no route matched, empty where Kong never chose a target. */
  tries: KongTry[] | undefined;
  /** Time charged to Kong and time charged to the last try, ms. */
  kongMs: number | undefined;
  proxyMs: number | undefined;
  grpcStatus: number | undefined;
}

/** In the order in which `readKongLog` takes them apart. */
const pick = jsonPicker([
  ['response', 'status'],
  ['response', 'headers', 'grpc-status'],
  ['request', 'method'],
  ['service', 'name'],
  ['service', 'host'],
  ['route', 'name'],
  ['route', 'id'],
  ['source'],
  ['tries'],
  ['latencies', 'kong'],
  ['latencies', 'proxy'],
]);

/** Reads a log document, as text or as its bytes; `undefined` when that is not a JSON object. Never throws. */
export function readKongLog(document: unknown): KongLog | undefined {
  const json = typeof document === 'string' ? Buffer.from(document) : document;
  if (!Buffer.isBuffer(json)) return undefined;
  let values: unknown[] | undefined;
  try {
    values = pick(json);
  } catch {
    return undefined;
  }
  if (!values) return undefined;
  const [
    status,
    grpcStatus,
    method,
    serviceName,
    serviceHost,
    routeName,
    routeId,
    source,
    tries,
    kong,
    proxy,
  ] = values;
  return {
    status: numberOf(status),
    method: textOf(method),
    service: { name: textOf(serviceName), host: textOf(serviceHost) },
    route: { name: textOf(routeName), id: textOf(routeId) },
    source: textOf(source),
    tries: Array.isArray(tries) ? tries.filter(isRecord).map(readTry) : undefined,
    kongMs: numberOf(kong),
    proxyMs: numberOf(proxy),
    grpcStatus: wholeNumberIn(grpcStatus),
  };
}

function readTry(document: Record<string, unknown>): KongTry {
  const startNs = numberOf(document['balancer_start_ns']);
  const latencyNs = numberOf(document['balancer_latency_ns']);
  return {
    balancerStartMs: startNs === undefined ? (numberOf(document['balancer_start']) ?? 0) : startNs / 1e6,
    balancerLatencyMs:
      latencyNs === undefined ? (numberOf(document['balancer_latency']) ?? 0) : latencyNs / 1e6,
    ip: textOf(document['ip']),
    port: portOf(document['port']),
    failed: document['state'] === 'failed',
    code: codeOf(document['code']),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function codeOf(value: unknown): number | undefined {
  return wholeNumberTo(999, value);
}

function portOf(value: unknown): number | undefined {
  return wholeNumberTo(65_535, value);
}

function wholeNumberTo(most: number, value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most
    ? value
    : undefined;
}

function wholeNumberIn(value: unknown): number | undefined {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : numberOf(value);
}
