// The part of Sentry's web API on 127.0.0.1 that resolves issues (https://docs.sentry.io/api/): strict about method, path, token and
// body. What it does not know it answers with 404 and keeps as a fault, except what Sentry itself answers so.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { closeServer, listenOnLoopback, loopbackUrl, readBody } from './loopback-server';

export const API_TOKEN = 'sntrys_a-token-for-tests-only';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly document?: unknown;
}

export class SentryApiServer {
  /** Event id -> issue. */
  readonly issueOfEvent = new Map<string, string>();
  /** Value of the tag `alert` -> unresolved issues. */
  readonly issuesOfAlert = new Map<string, readonly string[]>();
  readonly resolved: string[] = [];
  readonly faults: string[] = [];
  /** Given to the next request instead of the right answer. */
  readonly script: Answer[] = [];
  readonly #server: Server;

  static async start(): Promise<SentryApiServer> {
    const server = new SentryApiServer();
    await listenOnLoopback(server.#server);
    return server;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      readBody(request, (body) => {
        const answer = this.script.shift() ?? this.#answer(request, body.toString());
        response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
        response.end(JSON.stringify(answer.document ?? {}));
      });
    });
  }

  get url(): string {
    return loopbackUrl(this.#server);
  }

  async close(): Promise<void> {
    await closeServer(this.#server);
  }

  #answer({ method = '', url = '', headers }: IncomingMessage, body: string): Answer {
    if (headers.authorization !== `Bearer ${API_TOKEN}`) return { status: 401 };
    const { pathname, searchParams } = new URL(url, 'http://sentry');
    const eventId = /^\/api\/0\/organizations\/acme\/eventids\/([0-9a-f]{32})\/$/.exec(pathname)?.[1];
    if (method === 'GET' && eventId !== undefined && body === '') {
      const groupId = this.issueOfEvent.get(eventId);
      return groupId === undefined
        ? { status: 404, document: { detail: 'No event' } }
        : { status: 200, document: { event: { entries: ['x'.repeat(100_000)] }, groupId } };
    }
    const alert = /^is:unresolved alert:([0-9a-f]{16})$/.exec(searchParams.get('query') ?? '')?.[1];
    if (method === 'GET' && pathname === '/api/0/projects/acme/gateway/issues/' && alert !== undefined) {
      const found = this.issuesOfAlert.get(alert) ?? [];
      return { status: 200, document: found.map((id) => ({ id, status: 'unresolved' })) };
    }
    const issue = /^\/api\/0\/organizations\/acme\/issues\/(\d+)\/$/.exec(pathname)?.[1];
    const isJson = headers['content-type'] === 'application/json';
    if (method === 'PUT' && issue !== undefined && isJson && body === '{"status":"resolved"}') {
      this.resolved.push(issue);
      return { status: 200, document: { id: issue, status: 'resolved' } };
    }
    this.faults.push(`${method} ${url} ${body}`);
    return { status: 404 };
  }
}
