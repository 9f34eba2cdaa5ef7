// From the text of `kong.log.serialize()` to the facts of one request that may leave for Sentry. This is the allow-list: what
// is not read here does not leave, and what a client wrote leaves only where it is an identifier, a number or one of a few
// known words. Names of services, routes and workspaces, and the addresses of targets, come from Kong's configuration.
//
// Only with personal data: the consumer's id in Kong (never the username, the custom_id or a credential: people put e-mail
// addresses, account numbers and keys there), the client's address, the path without its query and parameters, and the body's
// declared size (the log phase has no body).
//
// Reading a log of 2 kB costs about 6 µs, so it is done for what is really sent, and not for every request.
import { isIP } from 'node:net';
import { labelText } from '../../contract/label-text';
import { knownMethod } from '../../http-method';
import { traceParentOf, type TraceParent } from './trace-context';

/** Of more tries only the first ones and the last are told. Kong's default is at most 6. */
export const MAX_TOLD_TRIES = 10;

export interface FactsSettings {
  readonly sendsPersonalData: boolean;
  /** Has no effect without personal data. */
  readonly sendsBodySize: boolean;
}

export interface UpstreamTry {
  /** Its place among all tries, from 1. */
  readonly number: number;
  readonly ip: string | undefined;
  readonly port: number | undefined;
  readonly failed: boolean;
  /** Kong's code of a failed try, 0 to 999. */
  readonly code: number | undefined;
  /** When Kong began to choose the target, Unix ms with fractions. */
  readonly startMs: number | undefined;
  /** How long choosing took, ms with fractions. */
  readonly balancerMs: number | undefined;
  /** Until the next try began or, of the last one, until the response headers; without the choosing. */
  readonly upstreamMs: number | undefined;
}

export interface RequestFacts {
  /** Kong's, 32 hexadecimal digits; the client got it as X-Kong-Request-Id. */
  readonly requestId: string | undefined;
  /** Unix ms. */
  readonly startedAtMs: number | undefined;
  /** A method of RFC 9110, PATCH or OTHER. */
  readonly method: string;
  /** Bytes with headers, as they went over the wire. */
  readonly requestBytes: number | undefined;
  readonly responseBytes: number | undefined;
  /** Kong's own latencies, ms; what is negative or no time at all is none. */
  readonly latencies: {
    readonly requestMs: number | undefined;
    readonly kongMs: number | undefined;
    readonly proxyMs: number | undefined;
    readonly receiveMs: number | undefined;
  };
  readonly tries: readonly UpstreamTry[];
  readonly triesLeftOut: number;
  readonly service: {
    readonly name: string | undefined;
    readonly id: string | undefined;
    readonly host: string | undefined;
    readonly port: number | undefined;
    readonly protocol: string | undefined;
  };
  readonly route: { readonly name: string | undefined; readonly id: string | undefined };
  readonly workspace: string | undefined;
  /** Whether Kong knew who called. */
  readonly hasConsumer: boolean;
  /** 100 to 999. */
  readonly status: number | undefined;
  /** Of a response header, 0 to 16; a real trailer is not in the log. */
  readonly grpcStatus: number | undefined;
  readonly traceParent: TraceParent | undefined;
  /** `undefined` without personal data. */
  readonly personal: PersonalFacts | undefined;
}

export interface PersonalFacts {
  /** Kong's uuid. */
  readonly consumerId: string | undefined;
  readonly clientAddress: string | undefined;
  readonly path: string | undefined;
  /** The request's Content-Length. */
  readonly declaredBodyBytes: number | undefined;
}

/**
 * @param log as text or as its bytes, which are not kept
 * @returns `undefined` where the log is no JSON object; a field that is absent or of a wrong type is `undefined`. Never throws.
 */
export function readRequestFacts(log: string | Buffer, settings: FactsSettings): RequestFacts | undefined {
  const document = parse(log);
  if (!isFields(document)) return undefined;
  const request = fieldsIn(document, 'request');
  const headers = fieldsIn(request, 'headers');
  const response = fieldsIn(document, 'response');
  const service = fieldsIn(document, 'service');
  const route = fieldsIn(document, 'route');
  const latencies = readLatencies(fieldsIn(document, 'latencies'));
  const tries = readTries(document['tries'], latencies.proxyMs);
  const told = tries.filter(({ number }) => number < MAX_TOLD_TRIES || number === tries.length);
  return {
    requestId: matching(request['id'], /^(?!0{32})[\da-f]{32}$/),
    startedAtMs: timeMs(document['started_at']),
    method: knownMethod(textOf(request['method'])),
    requestBytes: wholeNumber(request['size'], Number.MAX_SAFE_INTEGER),
    responseBytes: wholeNumber(response['size'], Number.MAX_SAFE_INTEGER),
    latencies,
    tries: told,
    triesLeftOut: tries.length - told.length,
    service: {
      name: nameOf(service['name']),
      id: matching(service['id'], UUID),
      host: nameOf(service['host']),
      port: wholeNumber(service['port'], MAX_PORT),
      protocol: matching(service['protocol'], SERVICE_PROTOCOL),
    },
    route: { name: nameOf(route['name']), id: matching(route['id'], UUID) },
    workspace: nameOf(document['workspace_name']),
    hasConsumer: isFields(document['consumer']),
    status: statusOf(response['status']),
    grpcStatus: grpcStatusOf(fieldsIn(response, 'headers')['grpc-status']),
    traceParent: traceParentOf(
      {
        sentryTrace: headers['sentry-trace'],
        baggage: headers['baggage'],
        traceparent: headers['traceparent'],
      },
      document['trace_id'],
    ),
    personal: settings.sendsPersonalData ? readPersonal(document, settings.sendsBodySize) : undefined,
  };
}

function readPersonal(document: Fields, sendsBodySize: boolean): PersonalFacts {
  const request = fieldsIn(document, 'request');
  const address = textOf(document['client_ip']);
  const declared = matching(fieldsIn(request, 'headers')['content-length'], /^\d{1,15}$/);
  return {
    consumerId: matching(fieldsIn(document, 'consumer')['id'], UUID),
    clientAddress: address !== undefined && isIP(address) !== 0 ? address : undefined,
    path: pathOf(request['uri']),
    declaredBodyBytes: sendsBodySize && declared !== undefined ? Number(declared) : undefined,
  };
}

/** Without the query, a fragment, and the parameters of a segment, such as `;jsessionid=…` (RFC 3986, section 3.3). */
function pathOf(uri: unknown): string | undefined {
  const [path = ''] = (textOf(uri) ?? '').split(/[?#]/, 1);
  return path.startsWith('/') ? labelText(path.replace(/;[^/]*/g, '')) : undefined;
}

function readLatencies(latencies: Fields): RequestFacts['latencies'] {
  return {
    requestMs: durationMs(latencies['request']),
    kongMs: durationMs(latencies['kong']),
    proxyMs: durationMs(latencies['proxy']),
    receiveMs: durationMs(latencies['receive']),
  };
}

function readTries(list: unknown, proxyMs: number | undefined): UpstreamTry[] {
  const tries = Array.isArray(list) ? list.filter(isFields) : [];
  const starts = tries.map(
    (entry) => timeMs(inMilliseconds(entry['balancer_start_ns'])) ?? timeMs(entry['balancer_start']),
  );
  return tries.map((entry, index) => {
    const startMs = starts[index];
    const nextStartMs = starts[index + 1];
    const balancerMs =
      durationMs(inMilliseconds(entry['balancer_latency_ns'])) ?? durationMs(entry['balancer_latency']);
    const isLast = index === tries.length - 1;
    const gapMs =
      startMs === undefined || nextStartMs === undefined
        ? undefined
        : Math.max(0, nextStartMs - startMs - (balancerMs ?? 0));
    return {
      number: index + 1,
      ip: nameOf(entry['ip']),
      port: wholeNumber(entry['port'], MAX_PORT),
      failed: entry['state'] === 'failed',
      code: wholeNumber(entry['code'], MAX_STATUS),
      startMs,
      balancerMs,
      upstreamMs: isLast ? proxyMs : durationMs(gapMs),
    };
  });
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
/** Of Kong's service entity. */
const SERVICE_PROTOCOL = /^(?:https?|grpcs?|wss?|tcp|tls|tls_passthrough|udp)$/;
const MAX_PORT = 65_535;
const MAX_STATUS = 999;
const MAX_GRPC_STATUS = 16;
/** 30 days: what Sentry does not keep any more. No request lives as long. */
const MAX_DURATION_MS = 30 * 86_400_000;
/** The last time that an ECMAScript Date can tell. */
const MAX_TIME_MS = 8.64e15;

type Fields = Readonly<Record<string, unknown>>;

const NO_FIELDS: Fields = {};

function parse(log: string | Buffer): unknown {
  try {
    return JSON.parse(log.toString());
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsIn(fields: Fields, name: string): Fields {
  const value = fields[name];
  return isFields(value) ? value : NO_FIELDS;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function nameOf(value: unknown): string | undefined {
  const text = textOf(value);
  return text === undefined ? undefined : labelText(text);
}

function matching(value: unknown, form: RegExp): string | undefined {
  return typeof value === 'string' && form.test(value) ? value : undefined;
}

function numberIn(value: unknown, min: number, max: number): number | undefined {
  return typeof value === 'number' && value >= min && value <= max ? value : undefined;
}

function wholeNumber(value: unknown, max: number): number | undefined {
  return Number.isInteger(value) ? numberIn(value, 0, max) : undefined;
}

function durationMs(value: unknown): number | undefined {
  return numberIn(value, 0, MAX_DURATION_MS);
}

function timeMs(value: unknown): number | undefined {
  return numberIn(value, 1, MAX_TIME_MS);
}

function inMilliseconds(ns: unknown): number | undefined {
  return typeof ns === 'number' ? ns / 1e6 : undefined;
}

function statusOf(value: unknown): number | undefined {
  const status = wholeNumber(value, MAX_STATUS);
  return status !== undefined && status >= 100 ? status : undefined;
}

function grpcStatusOf(header: unknown): number | undefined {
  const digits = matching(header, /^\d{1,2}$/);
  return wholeNumber(digits === undefined ? header : Number(digits), MAX_GRPC_STATUS);
}
