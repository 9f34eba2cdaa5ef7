// Requests that are no requests, or not whole: each is answered as a plain Node server answers it, and counted once.
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Refusal } from '../../../sidecar/exposition/refusal';
import { systemClock } from '../../../sidecar/clock';
import { answerBrokenRequests } from '../../../sidecar/http/answer-broken-requests';
import { createApp } from '../../../sidecar/http/app';
import { SERVER_LIMITS } from '../../../sidecar/http/server-limits';
import { captureLog } from '../../support/captured-log';
import { IDLE_API } from '../../support/idle-api';
import { eventually } from '../../support/eventually';
import { settle } from '../../support/manual-clock';
import { parseSamples, sumOf } from '../../support/samples';
import { SidecarProcess } from '../../support/sidecar-process';

/** The sidecar's are too long to wait for. */
const SHORT = { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 };

const refused: Refusal[] = [];
const sockets: Socket[] = [];
let plain: Server;
let ours: Server;
let sidecar: SidecarProcess | undefined;

beforeEach(async () => {
  refused.length = 0;
  plain = createServer(SHORT, (request, response) => {
    request.resume().once('end', () => response.end());
  });
  const onRefused = (refusal: Refusal): void => void refused.push(refusal);
  ours = createServer(
    { ...SHORT, requireHostHeader: false },
    createApp({
      token: () => undefined,
      web: () => undefined,
      isSocket: false,
      clock: systemClock,
      api: IDLE_API,
      receiveBatch: (_request, response) => response.end(),
      onRefusedBatch: () => undefined,
      onRefused,
      onBrokenOffScrape: () => undefined,
      families: () => Promise.resolve([]),
      statusPage: () => '',
      configPage: () => '',
      whyNotReady: () => undefined,
      reload: () => [],
      logger: captureLog().logger,
    }),
  );
  answerBrokenRequests(ours, { onRefused, onDroppedConnection: () => undefined });
  for (const server of [plain, ours]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of [plain, ours]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await sidecar?.remove();
  sidecar = undefined;
});

/** All that comes back until the connection ends. */
function send(server: Server, bytes: string, then?: (socket: Socket) => void): Promise<string> {
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  sockets.push(socket);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1'))).on('error', () => undefined);
  socket.write(bytes, 'latin1', () => then?.(socket));
  // Nothing more comes: Node ends its side, and with it so do we.
  socket.once('end', () => socket.destroy());
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}

const POST = 'POST /v1/batches HTTP/1.1\r\nhost: localhost\r\n';

const cases: [title: string, bytes: string, refusal: Refusal, status: number][] = [
  ['what is no HTTP', 'let me in\r\n\r\n', 'malformed', 400],
  ['TLS to a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'malformed', 400],
  ['a header with a line break in its name', 'GET / HTTP/1.1\r\nho st: a\r\n\r\n', 'malformed', 400],
  ['two lengths', `${POST}content-length: 3\r\ncontent-length: 4\r\n\r\nabcd`, 'malformed', 400],
  [
    'a bad chunk in the middle of a body',
    `${POST}transfer-encoding: chunked\r\n\r\n2\r\nab\r\nxyz\r\n`,
    'malformed',
    400,
  ],
  [
    'extensions of a chunk that go on and on',
    `${POST}transfer-encoding: chunked\r\n\r\n2;${'a'.repeat(20_000)}\r\nab\r\n0\r\n\r\n`,
    'malformed',
    413,
  ],
  [
    'headers over 16 KiB',
    `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
    'headers_too_large',
    431,
  ],
  ['headers that do not end', 'GET / HTTP/1.1\r\nhost: localhost\r\nx: ', 'timeout', 408],
  ['a connection on which nothing comes', '', 'timeout', 408],
  ['a body that does not end', `${POST}content-length: 10\r\n\r\nabc`, 'timeout', 408],
];

describe('a broken request', () => {
  it.each(cases)(
    'gets the answer of a plain Node server and is counted once: %s',
    async (_title, bytes, refusal, status) => {
      const answer = await send(ours, bytes);
      expect(answer).toBe(await send(plain, bytes));
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\r\nConnection: close\r\n\r\n$`));
      // What the body's reader says of a connection that is gone comes after.
      expect(
        await send(ours, 'GET /-/healthy HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'),
      ).toMatch(/^HTTP\/1\.1 200 /);
      expect(refused).toEqual([refusal]);
    },
  );

  it('is counted once where the client leaves in the middle of the headers or of the body, politely or not', async () => {
    const body = `${POST}content-length: 10\r\n\r\nabc`;
    const headers = 'GET / HTTP/1.1\r\nhost: ';
    for (const bytes of [headers, body]) {
      expect(await send(ours, bytes, (socket) => socket.end())).toBe(
        await send(plain, bytes, (socket) => socket.end()),
      );
    }
    expect(refused).toEqual(['aborted', 'aborted']);
    // The application has begun to read, so that the end of the connection comes in the middle of it.
    const reading = new Promise((resolve) => ours.once('request', resolve));
    const socket = connect((ours.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    socket.write(body);
    await reading;
    socket.resetAndDestroy();
    while (refused.length < 3) await settle();
    expect(refused).toEqual(['aborted', 'aborted', 'aborted']);
  });

  it('is refused for a missing Host with HTTP/1.1, as Node does, and not with HTTP/1.0', async () => {
    const [answer, expected] = [
      await send(ours, 'GET /-/healthy HTTP/1.1\r\n\r\n'),
      await send(plain, 'GET /-/healthy HTTP/1.1\r\n\r\n'),
    ];
    for (const text of [answer, expected])
      expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[^]*Connection: close\r\n/);
    expect(refused).toEqual(['malformed']);
    expect(await send(ours, 'GET /-/healthy HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(refused).toEqual(['malformed']);
  });

  it('does not put its answer behind the headers of another', async () => {
    const pages = 'GET /-/healthy HTTP/1.1\r\nhost: localhost\r\n\r\n';
    const answer = await send(ours, `${pages}nonsense\r\n\r\n`);
    expect(answer.match(/HTTP\/1\.1 \d+/g)?.length).toBeLessThanOrEqual(2);
    expect(refused).toEqual(['malformed']);
  });
});

describe('the metrics of the sidecar', () => {
  it('count what was refused, by why, and the connections that were not taken', async () => {
    sidecar = await SidecarProcess.start();
    const { url } = sidecar;
    const metric = async (name: string, labels: Record<string, string> = {}): Promise<number> =>
      sumOf(parseSamples(await (await fetch(`${url}/metrics`)).text()), name, labels);
    const count = (reason: string): Promise<number> =>
      metric('gatewatch_http_refused_requests_total', { reason });
    expect(await count('encoded_body')).toBe(0);
    const encoded = await fetch(`${url}/v1/batches`, {
      method: 'POST',
      body: 'x',
      headers: { 'content-encoding': 'gzip' },
    });
    expect([encoded.status, await count('encoded_body')]).toEqual([415, 1]);
    expect([
      (await fetch(`${url}/v1/batch`, { method: 'POST', body: 'x' })).status,
      await count('unknown_address'),
    ]).toEqual([404, 1]);

    const open = async (): Promise<Socket> => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
        .on('error', () => undefined)
        .resume();
      sockets.push(socket);
      await new Promise((resolve) => socket.once('connect', resolve));
      return socket;
    };
    const broken = await open();
    broken.write('nonsense\r\n\r\n');
    await new Promise((resolve) => broken.once('close', resolve));
    expect(await count('malformed')).toBe(1);

    // The connection on which the metrics were asked for stays, and is asked again.
    let dropped = 0;
    for (let more = 0; more < SERVER_LIMITS.maxConnections + 20; more++) {
      (await open()).once('close', () => (dropped += 1));
    }
    await eventually(async () => {
      expect(dropped).toBeGreaterThanOrEqual(20);
      expect(await metric('gatewatch_http_dropped_connections_total')).toBe(dropped);
    });
  });
});
