// A Sentry on 127.0.0.1 that takes nothing malformed: method, path, authentication, framing, item types and their required
// fields, sizes. What it refuses it answers with 400, and keeps as a fault. It answers otherwise where the test tells it to.
// Source: https://develop.sentry.dev/sdk/foundations/data-model/envelopes/ and envelope-items/.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { closeServer } from './loopback-server';

export type JsonObject = Record<string, unknown>;

/** `hang`: no answer. `drop`: the connection breaks off once the request is read. */
export type EnvelopeScript =
  'hang' | 'drop' | { status: number; headers?: Record<string, string>; body?: string };

export interface ReceivedItem {
  readonly type: string;
  readonly header: JsonObject;
  readonly payload: JsonObject;
  readonly envelopeHeader: JsonObject;
}

export interface ReceivedEnvelope {
  readonly project: string;
  readonly publicKey: string;
  readonly isCompressed: boolean;
  /** As they came, before decompression. */
  readonly bytes: Buffer;
  /** After it. */
  readonly text: string;
  readonly items: readonly ReceivedItem[];
}

const KIB = 1024;
const MAX_ENVELOPE_BYTES = 200 * KIB * KIB;
const MAX_ITEM_BYTES: Readonly<Record<string, number>> = {
  event: KIB * KIB,
  transaction: KIB * KIB,
  client_report: 4 * KIB,
  check_in: 100 * KIB,
  profile_chunk: 50 * KIB * KIB,
};

const HEX_32 = /^[0-9a-f]{32}$/;
const HEX_16 = /^[0-9a-f]{16}$/;
const REASONS = [
  'queue_overflow',
  'ratelimit_backoff',
  'network_error',
  'send_error',
  'sample_rate',
  'before_send',
  'event_processor',
  'backpressure',
];

export class EnvelopeServer {
  /** Everything that was well-formed, answered with whatever. */
  readonly received: ReceivedEnvelope[] = [];
  /** Items that were answered with 200. */
  readonly taken: ReceivedItem[] = [];
  /** Why something was malformed. */
  readonly faults: string[] = [];
  otherwise: EnvelopeScript = { status: 200 };
  readonly #publicKey: string;
  readonly #server: Server;
  readonly #script: EnvelopeScript[] = [];
  #waiting: { isSo: () => boolean; tell: () => void }[] = [];

  static async start({ publicKey = 'examplepublickey', port = 0 } = {}): Promise<EnvelopeServer> {
    const server = new EnvelopeServer(publicKey);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen(port, '127.0.0.1', resolve);
    });
    return server;
  }

  private constructor(publicKey: string) {
    this.#publicKey = publicKey;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @param below a path before the project id, such as `/sentry` */
  dsn(project = '42', below = ''): string {
    return `http://${this.#publicKey}@127.0.0.1:${this.port}${below}/${project}`;
  }

  /** The next answers, in order. */
  answer(...script: EnvelopeScript[]): void {
    this.#script.push(...script);
  }

  /** Settles once it is so; asked again after every request. */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    return new Promise((tell) => this.#waiting.push({ isSo, tell }));
  }

  /** Payloads of one type that were taken. */
  payloads(type: string): JsonObject[] {
    return this.taken.filter((item) => item.type === type).map(({ payload }) => payload);
  }

  async close(): Promise<void> {
    await closeServer(this.#server);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // Broken off by the sender: there is nobody to answer.
      return;
    }
    try {
      this.received.push(this.#read(request, Buffer.concat(chunks)));
      this.#play(this.#script.shift() ?? this.otherwise, response);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.faults.push(detail);
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ detail }));
    }
    this.#waiting = this.#waiting.filter(({ isSo, tell }) => {
      if (!isSo()) return true;
      tell();
      return false;
    });
  }

  #play(script: EnvelopeScript, response: ServerResponse): void {
    if (script === 'hang') return;
    if (script === 'drop') {
      response.socket?.resetAndDestroy();
      return;
    }
    if (script.status === 200) this.taken.push(...(this.received.at(-1)?.items ?? []));
    response.writeHead(script.status, script.headers).end(script.body ?? '{}');
  }

  #read(request: IncomingMessage, bytes: Buffer): ReceivedEnvelope {
    // Absolute where it came through a proxy.
    const url = new URL(request.url ?? '', 'http://sentry');
    const project = /\/api\/(\d+)\/envelope\/$/.exec(url.pathname)?.[1];
    need(request.method === 'POST', `method ${request.method ?? ''}`);
    if (project === undefined) throw new Error(`path ${url.pathname}`);
    const { 'content-type': type, 'content-encoding': encoding, 'x-sentry-auth': auth } = request.headers;
    need(type === 'application/x-sentry-envelope', `content-type ${type ?? 'missing'}`);
    need(encoding === undefined || encoding === 'gzip', `content-encoding ${encoding ?? ''}`);
    const publicKey = readKey(url, auth);
    need(publicKey === this.#publicKey, `public key ${publicKey}`);
    const plain = encoding === 'gzip' ? gunzipSync(bytes) : bytes;
    need(plain.length <= MAX_ENVELOPE_BYTES, `envelope of ${plain.length} bytes`);
    const items = readEnvelope(plain);
    for (const { envelopeHeader } of items) {
      const { dsn } = envelopeHeader;
      need(
        dsn === undefined || (typeof dsn === 'string' && dsn.includes(`//${publicKey}@`)),
        'dsn of another key',
      );
    }
    const isCompressed = encoding === 'gzip';
    return { project, publicKey, isCompressed, bytes, text: plain.toString('utf8'), items };
  }
}

function need(isSo: boolean, fault: string): void {
  if (!isSo) throw new Error(fault);
}

function readKey(url: URL, header: string | string[] | undefined): string {
  const fields =
    typeof header === 'string'
      ? new URLSearchParams(header.replace(/^Sentry /, '').replace(/,\s*/g, '&'))
      : url.searchParams;
  need(fields.get('sentry_version') === '7', 'sentry_version');
  need(/^[\w.]+\/\d+\.\d+\.\d+$/.test(fields.get('sentry_client') ?? ''), 'sentry_client');
  return fields.get('sentry_key') ?? '';
}

/** @throws Error naming what is malformed */
export function readEnvelope(bytes: Buffer): ReceivedItem[] {
  const headerEnd = lineEnd(bytes, 0);
  const envelopeHeader = readObject(bytes.subarray(0, headerEnd), 'envelope header');
  const { sent_at: sentAt } = envelopeHeader;
  need(
    typeof sentAt === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(sentAt),
    `sent_at ${String(sentAt)}`,
  );
  need(bytes.toString('utf8', 0, headerEnd).split('"sent_at"').length === 2, 'sent_at twice');
  const items: ReceivedItem[] = [];
  let at = headerEnd + 1;
  while (at < bytes.length) {
    const itemHeaderEnd = lineEnd(bytes, at);
    const header = readObject(bytes.subarray(at, itemHeaderEnd), 'item header');
    const { type, length } = header;
    if (typeof type !== 'string') throw new Error('item without a type');
    need(length === undefined || (Number.isInteger(length) && Number(length) >= 0), 'item length');
    const start = itemHeaderEnd + 1;
    const end = typeof length === 'number' ? start + length : lineEnd(bytes, start);
    need(end <= bytes.length, 'item longer than the envelope');
    need(end === bytes.length || bytes[end] === 0x0a, 'item not followed by a newline');
    const most = MAX_ITEM_BYTES[type];
    if (most === undefined) throw new Error(`item type ${type}`);
    need(end - start <= most, `${type} of ${end - start} bytes`);
    const payload = readObject(bytes.subarray(start, end), `${type} payload`);
    checkItem(type, header, payload, envelopeHeader);
    items.push({ type, header, payload, envelopeHeader });
    at = end + 1;
  }
  need(items.length > 0, 'no item');
  const events = items.filter(({ type }) => type === 'event' || type === 'transaction');
  need(events.length <= 1, 'more than one event');
  return items;
}

function lineEnd(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(0x0a, from);
  return end < 0 ? bytes.length : end;
}

function readObject(bytes: Buffer, what: string): JsonObject {
  const text = bytes.toString('utf8');
  need(text === text.trim(), `${what}: white space around it`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${what}: no JSON`);
  }
  if (!isObject(value)) throw new Error(`${what}: no object`);
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkItem(type: string, header: JsonObject, payload: JsonObject, envelopeHeader: JsonObject): void {
  if (type === 'event' || type === 'transaction') {
    const { event_id: id, trace } = envelopeHeader;
    need(HEX_32.test(String(id)), 'event_id of the envelope');
    need(payload['event_id'] === id, 'event_id of the payload');
    need(typeof payload['timestamp'] === 'number', 'timestamp');
    need(typeof payload['platform'] === 'string', 'platform');
    const contexts = isObject(payload['contexts']) ? payload['contexts'] : {};
    const own = contexts['trace'];
    if (own !== undefined || type === 'transaction') checkTrace(own);
    if (trace !== undefined) {
      need(isObject(trace) && HEX_32.test(String(trace['trace_id'])), 'trace_id of the envelope');
      need(
        isObject(trace) && Object.values(trace).every((value) => typeof value === 'string'),
        'a sampling context that is not of texts',
      );
    }
    if (type === 'transaction') checkTransaction(payload, own);
  } else if (type === 'client_report') {
    const discarded = payload['discarded_events'];
    need(Array.isArray(discarded) && discarded.length > 0, 'discarded_events');
    for (const event of discarded as JsonObject[]) {
      need(REASONS.includes(String(event['reason'])), `reason ${String(event['reason'])}`);
      need(typeof event['category'] === 'string', 'category');
      need(Number.isInteger(event['quantity']) && Number(event['quantity']) > 0, 'quantity');
    }
  } else if (type === 'check_in') {
    need(HEX_32.test(String(payload['check_in_id'])), 'check_in_id');
    need(typeof payload['monitor_slug'] === 'string', 'monitor_slug');
    need(['in_progress', 'ok', 'error'].includes(String(payload['status'])), 'status of a check-in');
  } else {
    need(typeof header['platform'] === 'string', 'platform of a profile chunk');
    need(payload['platform'] === header['platform'], 'platform of a profile chunk and its item');
    need(payload['version'] === '2', 'version of a profile chunk');
    for (const field of ['profiler_id', 'chunk_id']) need(HEX_32.test(String(payload[field])), field);
    need(isObject(payload['profile']), 'profile');
  }
}

function checkTrace(trace: unknown): asserts trace is JsonObject {
  if (!isObject(trace)) throw new Error('no trace context');
  need(HEX_32.test(String(trace['trace_id'])), 'trace_id');
  need(HEX_16.test(String(trace['span_id'])), 'span_id');
}

function checkTransaction(payload: JsonObject, trace: unknown): void {
  checkTrace(trace);
  need(typeof payload['transaction'] === 'string', 'name of a transaction');
  const { start_timestamp: start, timestamp: end, spans } = payload;
  need(typeof start === 'number' && start <= Number(end), 'start_timestamp');
  if (!Array.isArray(spans)) throw new Error('spans');
  for (const span of spans as JsonObject[]) {
    need(HEX_16.test(String(span['span_id'])), 'span_id of a span');
    need(HEX_16.test(String(span['parent_span_id'])), 'parent_span_id of a span');
    need(span['trace_id'] === trace['trace_id'], 'trace_id of a span');
    need(
      typeof span['start_timestamp'] === 'number' && span['start_timestamp'] <= Number(span['timestamp']),
      'times of a span',
    );
  }
}
