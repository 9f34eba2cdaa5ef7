// One request and its answer, as it is filled in from the first byte to the last: what the log document, the metrics
// and the plugins are told. Times are ms since 1970 with fractions; sizes are bytes on the wire.
import { randomBytes } from 'node:crypto';
import type { Route, Service } from './kong-entities';
import { startTimeline, type Timeline } from './timeline';

/** One try at an upstream. */
export interface UpstreamTry {
  readonly ip: string;
  readonly port: number;
  readonly balancerStartedAtMs: number;
  readonly balancerLatencyMs: number;
  /** 502 or 504 once it has failed. */
  failureCode?: number;
  /** The upstream's status once it has answered. */
  upstreamStatus?: number;
}

/** Names and values in turn, as on the wire. */
export type RawHeaders = readonly string[];

/** What the client sent. */
export interface ExchangeRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly uri: string;
  readonly headers: RawHeaders;
  readonly clientIp: string;
  readonly listenPort: number;
  /** The request line and the headers. */
  readonly headBytes: number;
}

/** What the client was sent; grows until the exchange ends. */
export interface ExchangeResponse {
  status: number;
  headers: RawHeaders;
  bytes: number;
}

/** The record of one request. */
export interface Exchange {
  readonly id: string;
  readonly timeline: Timeline;
  readonly request: ExchangeRequest;
  readonly response: ExchangeResponse;
  requestBodyBytes: number;
  route?: Route;
  service?: Service;
  /** What the upstream is asked for; empty without a route. */
  upstreamUri: string;
  /** Absent where no route was matched. */
  tries?: UpstreamTry[];
  accessEndedAtMs?: number;
  headersAtMs?: number;
  bodyEndedAtMs?: number;
  endedAtMs?: number;
  /** Whose answer it is, in Kong's words. */
  source: 'kong' | 'upstream';
}

/** Opens the record of a request whose headers have been read now. */
export function openExchange(request: ExchangeRequest): Exchange {
  return {
    id: randomBytes(16).toString('hex'),
    timeline: startTimeline(),
    request,
    response: { status: 0, headers: [], bytes: 0 },
    requestBodyBytes: 0,
    upstreamUri: '',
    source: 'kong',
  };
}

/** The first value of a header, or nothing. */
export function headerValue(headers: RawHeaders, name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) return headers[index + 1];
  }
  return undefined;
}
