// PagerDuty's Events API v2 on 127.0.0.1: refuses what its documentation says it does not take, and keeps what becomes of the rest:
// incidents by their dedup_key, and change events. What it would ignore but nobody should send is kept as a fault. Fields and limits:
// https://github.com/PagerDuty/developer-docs/tree/main/docs/events-API-v2 and
// https://github.com/PagerDuty/api-schema/blob/main/reference/events-v2/openapiv3.json.
import { createServer, type Server } from 'node:http';
import { closeServer, listenOnLoopback, loopbackUrl, readBody } from './loopback-server';

export const ROUTING_KEY = '0123456789abcdef0123456789abcdef';

const FIELDS = {
  alert: ['routing_key', 'event_action', 'dedup_key', 'payload', 'images', 'links', 'client', 'client_url'],
  alertPayload: [
    'summary',
    'source',
    'severity',
    'timestamp',
    'component',
    'group',
    'class',
    'custom_details',
  ],
  change: ['routing_key', 'payload', 'links'],
  changePayload: ['summary', 'source', 'timestamp', 'custom_details'],
  link: ['href', 'text'],
};

const MOST_SUMMARY_CHARACTERS = 1_024;
const MOST_DEDUP_KEY_CHARACTERS = 255;
const MOST_BYTES = 512_000;

type Fields = Readonly<Record<string, unknown>>;

export interface Incident {
  readonly dedupKey: string;
  status: 'triggered' | 'acknowledged' | 'resolved';
  /** Every event that it was told of. */
  readonly log: { readonly action: string; readonly event: Fields }[];
}

export interface PagerDutyAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly document?: unknown;
}

export class PagerDutyServer {
  /** In the order in which they were opened. */
  readonly incidents: Incident[] = [];
  readonly changes: Fields[] = [];
  /** Events about what nobody has triggered: dropped with a 202. */
  readonly dropped: Fields[] = [];
  readonly events: Fields[] = [];
  readonly faults: string[] = [];
  /** Given to the next requests in place of the right answer. */
  readonly script: (PagerDutyAnswer | 'right')[] = [];
  readonly #server: Server;

  static async start(): Promise<PagerDutyServer> {
    const server = new PagerDutyServer();
    await listenOnLoopback(server.#server);
    return server;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      readBody(request, (body) => {
        const { method = '', url = '', headers } = request;
        const scripted = this.script.shift() ?? 'right';
        const answer =
          scripted === 'right'
            ? this.#answer(`${method} ${url}`, headers['content-type'] ?? '', body)
            : scripted;
        response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
        response.end(JSON.stringify(answer.document === undefined ? {} : answer.document));
      });
    });
  }

  get url(): string {
    return loopbackUrl(this.#server);
  }

  /** The incidents of one key, the oldest first. */
  incidentsOf(dedupKey: string): Incident[] {
    return this.incidents.filter((incident) => incident.dedupKey === dedupKey);
  }

  /** Somebody resolves it there. */
  resolveByHand(incident: Incident): void {
    incident.status = 'resolved';
  }

  async close(): Promise<void> {
    await closeServer(this.#server);
  }

  #answer(call: string, contentType: string, bytes: Buffer): PagerDutyAnswer {
    if (!contentType.startsWith('application/json')) this.faults.push(`content type ${contentType}`);
    if (bytes.length > MOST_BYTES) return { status: 413 };
    let event: unknown;
    try {
      event = JSON.parse(bytes.toString());
    } catch {
      return invalid('Unrecognized object', ['JSON parse error']);
    }
    if (typeof event !== 'object' || event === null) return invalid('Unrecognized object', []);
    const fields = event as Fields;
    this.events.push(fields);
    if (call === 'POST /v2/enqueue') return this.#alert(fields);
    if (call === 'POST /v2/change/enqueue') return this.#change(fields);
    this.faults.push(call);
    return { status: 404 };
  }

  #alert(event: Fields): PagerDutyAnswer {
    const { event_action: action, dedup_key: dedupKey, payload, client, client_url: clientUrl } = event;
    this.#noteUnknown(event, FIELDS.alert, 'event');
    const errors = [...keyErrors(event), ...linkErrors(event)];
    if (action !== 'trigger' && action !== 'acknowledge' && action !== 'resolve')
      errors.push("'event_action' is invalid");
    if (typeof dedupKey !== 'string' || dedupKey === '') errors.push("'dedup_key' is missing or blank");
    else if (dedupKey.length > MOST_DEDUP_KEY_CHARACTERS) errors.push("'dedup_key' is too long");
    if (clientUrl !== undefined && !isUrl(clientUrl)) errors.push("'client_url' is no url");
    if (client !== undefined && typeof client !== 'string') errors.push("'client' is no text");
    if (client !== undefined && action !== 'trigger') this.faults.push(`client with ${String(action)}`);
    if (payload !== undefined || action === 'trigger')
      errors.push(...this.#payloadErrors(payload, FIELDS.alertPayload, ['summary', 'source', 'severity']));
    if (errors.length > 0) return invalid('invalid event', errors);
    this.#apply(action as string, dedupKey as string, event);
    return { status: 202, document: { status: 'success', message: 'Event processed', dedup_key: dedupKey } };
  }

  /** Once resolved, a trigger opens another incident, and everything else is dropped. */
  #apply(action: string, dedupKey: string, event: Fields): void {
    const open = this.incidents.find((one) => one.dedupKey === dedupKey && one.status !== 'resolved');
    if (open) {
      open.log.push({ action, event });
      if (action !== 'trigger') open.status = action === 'resolve' ? 'resolved' : 'acknowledged';
    } else if (action === 'trigger') {
      this.incidents.push({ dedupKey, status: 'triggered', log: [{ action, event }] });
    } else {
      this.dropped.push(event);
    }
  }

  #change(event: Fields): PagerDutyAnswer {
    this.#noteUnknown(event, FIELDS.change, 'change event');
    const errors = [
      ...keyErrors(event),
      ...linkErrors(event),
      ...this.#payloadErrors(event['payload'], FIELDS.changePayload, ['summary']),
    ];
    if (errors.length > 0) return invalid('invalid event', errors);
    this.changes.push(event);
    return { status: 202, document: { status: 'success', message: 'Change event processed' } };
  }

  #payloadErrors(payload: unknown, known: readonly string[], required: readonly string[]): string[] {
    if (typeof payload !== 'object' || payload === null) return ["'payload' is missing or blank"];
    const fields = payload as Fields;
    this.#noteUnknown(fields, known, 'payload');
    const { summary, severity, timestamp, custom_details: details } = fields;
    const errors = required
      .filter((name) => typeof fields[name] !== 'string' || fields[name] === '')
      .map((name) => `'payload.${name}' is missing or blank`);
    for (const name of ['source', 'component', 'group', 'class'])
      if (fields[name] !== undefined && typeof fields[name] !== 'string')
        errors.push(`'payload.${name}' is no text`);
    if (typeof summary === 'string' && Array.from(summary).length > MOST_SUMMARY_CHARACTERS)
      errors.push("'payload.summary' is too long");
    if (severity !== undefined && !['critical', 'error', 'warning', 'info'].includes(severity as string))
      errors.push("'payload.severity' is invalid");
    if (timestamp !== undefined && !isIsoTime(timestamp)) errors.push("'payload.timestamp' is invalid");
    if (details !== undefined && (typeof details !== 'object' || details === null || Array.isArray(details)))
      errors.push("'payload.custom_details' is no object");
    return errors;
  }

  #noteUnknown(fields: Fields, known: readonly string[], where: string): void {
    for (const name of Object.keys(fields))
      if (!known.includes(name)) this.faults.push(`${where} has no ${name}`);
  }
}

function keyErrors({ routing_key: key }: Fields): string[] {
  if (typeof key !== 'string' || key.length !== 32)
    return ["Length of 'routing_key' is incorrect (should be 32 characters)"];
  return key === ROUTING_KEY ? [] : ['Invalid routing key'];
}

function linkErrors({ links }: Fields): string[] {
  if (links === undefined) return [];
  if (!Array.isArray(links)) return ["'links' is no list"];
  return (links as unknown[]).flatMap((link) => {
    const { href, text, ...rest } = link as Fields;
    const isRight =
      isUrl(href) && (text === undefined || typeof text === 'string') && Object.keys(rest).length === 0;
    return isRight ? [] : ["'links' is invalid"];
  });
}

function isUrl(text: unknown): boolean {
  return typeof text === 'string' && /^https?:\/\//.test(text) && URL.canParse(text);
}

function isIsoTime(text: unknown): boolean {
  return typeof text === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(text);
}

function invalid(status: string, errors: readonly string[]): PagerDutyAnswer {
  return { status: 400, document: { status, message: 'Event object is invalid', errors } };
}
