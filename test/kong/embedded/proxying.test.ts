import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Pool } from 'undici';
import { findFreePorts } from '../../support/free-ports';
import { startTestGateway, type TestGateway } from '../../support/embedded-gateway';
import { ScriptedUpstream } from '../../support/scripted-upstream';

const MEGABYTE = 1024 * 1024;

let upstream: ScriptedUpstream;
let refusedPort: number;
let gateway: TestGateway;
let endEvents: () => void;

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const DOWNLOAD = randomBytes(8 * MEGABYTE);

beforeAll(async () => {
  upstream = await ScriptedUpstream.start((request, response) => {
    const { url = '' } = request;
    if (url.startsWith('/download')) {
      response.writeHead(200, { 'x-twice': ['1', '2'] }).end(DOWNLOAD);
    } else if (url.startsWith('/upload')) {
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => response.end(hash.digest('hex')));
    } else if (url.startsWith('/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
      endEvents = () => void response.end('data: last\n\n');
    } else if (url.startsWith('/empty')) {
      response.writeHead(204).end();
    } else if (url.startsWith('/breaks')) {
      response
        .writeHead(200, { 'content-length': 100 })
        .write('half', () => response.socket?.resetAndDestroy());
    } else if (!url.startsWith('/hang')) {
      response.setHeader('connection', 'keep-alive, x-hop');
      response.setHeader('x-hop', 'must not pass');
      response.end('ok');
    }
  });
  refusedPort = await findFreePorts(1);
  gateway = await startTestGateway(
    () => `
services:
  - { name: up, url: 'http://127.0.0.1:${upstream.port}', routes: [{ paths: [/] }] }
  # Of what is never answered, so that no answer of a busy machine can be too late.
  - { name: hanging, url: 'http://127.0.0.1:${upstream.port}', read_timeout: 300, retries: 1, routes: [{ paths: [/hang], strip_path: false }] }
  - { name: refused, url: 'http://127.0.0.1:${refusedPort}', retries: 3, routes: [{ paths: [/refused] }] }
  - { name: nowhere, url: 'http://no-such-host.invalid', routes: [{ paths: [/nowhere] }] }
`,
  );
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

describe('a body', () => {
  it('of 8 MB goes through unchanged, both ways', async () => {
    const answer = await fetch(`${gateway.proxyUrl}/download`);
    expect(answer.headers.get('x-twice')).toBe('1, 2');
    expect(digest(Buffer.from(await answer.arrayBuffer()))).toBe(digest(DOWNLOAD));
    const upload = await fetch(`${gateway.proxyUrl}/upload`, { method: 'POST', body: DOWNLOAD });
    expect(await upload.text()).toBe(digest(DOWNLOAD));
  });

  it('that comes in pieces of unknown length goes through unchanged', async () => {
    const request = httpRequest(`${gateway.proxyUrl}/upload`, { method: 'PUT' });
    const pieces = Array.from({ length: 40 }, () => randomBytes(50_000));
    for (const piece of pieces) request.write(piece);
    request.end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    expect(text).toBe(digest(Buffer.concat(pieces)));
  });

  it('of an event stream flows before it ends', async () => {
    const request = httpRequest(`${gateway.proxyUrl}/events`).end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const chunks: string[] = [];
    for await (const chunk of answer) {
      chunks.push(String(chunk));
      // The stream is ended only now that its first event is here.
      if (chunks.length === 1) endEvents();
    }
    expect(chunks).toEqual(['data: first\n\n', 'data: last\n\n']);
  });

  it('that breaks off at the upstream breaks off at the client', async () => {
    const answer = await fetch(`${gateway.proxyUrl}/breaks`);
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
  });

  it('is absent where there is none', async () => {
    expect((await fetch(`${gateway.proxyUrl}/empty`)).status).toBe(204);
    const head = await fetch(`${gateway.proxyUrl}/download`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
  });
});

describe('a header', () => {
  it('for one connection only does not pass', async () => {
    const answer = await fetch(`${gateway.proxyUrl}/plain`, { headers: { te: 'trailers' } });
    expect(answer.headers.get('x-hop')).toBeNull();
    expect(upstream.requests.at(-1)?.headers['te']).toBeUndefined();
    expect(answer.headers.get('via')).toContain('gatewatch-embedded');
  });
});

describe('an upstream that fails', () => {
  const cases: [path: string, status: number, message: RegExp][] = [
    ['/refused', 502, /invalid response/],
    ['/hang', 504, /timing? ?out|timeout/i],
    ['/nowhere', 503, /name resolution failed/],
  ];
  it.each(cases)('is answered for as Kong answers: %s', async (path, status, message) => {
    const answer = await fetch(`${gateway.proxyUrl}${path}`);
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { message: string }).message).toMatch(message);
  });

  it('is not sent a POST a second time', async () => {
    const before = upstream.requests.length;
    const answer = await fetch(`${gateway.proxyUrl}/hang`, { method: 'POST', body: 'once' });
    expect(answer.status).toBe(504);
    expect(upstream.requests.length - before).toBe(1);
  });
});

describe('many clients', () => {
  it('are served over connections that are kept, and each is counted once', async () => {
    const [requestsBefore, connectionsBefore] = [upstream.requests.length, upstream.connections];
    const servedBefore = gateway.counters.requestsServed;
    const pool = new Pool(gateway.proxyUrl, { connections: 16, pipelining: 1 });
    await Promise.all(
      Array.from({ length: 1_600 }, async (_, index) => {
        const { statusCode, body } = await pool.request({ method: 'GET', path: `/plain?${index}` });
        expect([statusCode, await body.text()]).toEqual([200, 'ok']);
      }),
    );
    await pool.close();
    expect(upstream.requests.length - requestsBefore).toBe(1_600);
    expect(gateway.counters.requestsServed - servedBefore).toBe(1_600);
    expect(upstream.connections - connectionsBefore).toBeLessThanOrEqual(32);
  });
});
