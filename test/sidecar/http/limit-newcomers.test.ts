// Whoever does not pass a door has a place for a short time only, whatever it sends; who passed one keeps its place.
import { connect, type Socket } from 'node:net';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeBatch } from '../../../kong-plugin/contract/batch';
import { Secret } from '../../../sidecar/config/secret';
import { createApp } from '../../../sidecar/http/app';
import { NEWCOMER_MS, limitNewcomers } from '../../../sidecar/http/limit-newcomers';
import { SERVER_LIMITS, createLimitedServer } from '../../../sidecar/http/server-limits';
import { batchOf } from '../../support/batches';
import { captureLog } from '../../support/captured-log';
import { IDLE_API } from '../../support/idle-api';
import { ManualClock, settle } from '../../support/manual-clock';

const TOKEN = 'a-token-that-is-long-enough';

let clock: ManualClock;
let server: Server;
let clients: Client[];

class Client {
  text = '';
  readonly socket: Socket;
  readonly ended: Promise<void>;

  constructor(bytes = '') {
    this.socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => (this.text += chunk.toString())).on('error', () => undefined);
    this.socket.write(bytes);
    this.ended = new Promise((resolve) => this.socket.once('close', () => resolve()));
    clients.push(this);
  }

  async answered(status: number): Promise<void> {
    while (!this.text.includes(`HTTP/1.1 ${status} `)) await settle();
  }
}

beforeEach(async () => {
  clients = [];
  clock = new ManualClock();
  server = createLimitedServer(
    createApp({
      token: () => new Secret(TOKEN),
      web: () => undefined,
      isSocket: false,
      clock,
      api: IDLE_API,
      receiveBatch: (_request, response) => void response.json({}),
      onRefusedBatch: () => undefined,
      onRefused: () => undefined,
      onBrokenOffScrape: () => undefined,
      families: () => Promise.resolve([]),
      statusPage: () => 'status',
      configPage: () => '',
      whyNotReady: () => undefined,
      reload: () => [],
      logger: captureLog().logger,
    }),
  );
  limitNewcomers(server, clock);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const batch = encodeBatch(batchOf([])).toString();
const post = (token: string): string =>
  `POST /v1/batches HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: ${batch.length}\r\n\r\n`;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

it('has a time that headers are shorter than, with the look at them', () => {
  expect(NEWCOMER_MS).toBeGreaterThan(SERVER_LIMITS.headersTimeoutMs + 2 * SERVER_LIMITS.checkIntervalMs);
});

describe('a connection', () => {
  it('that passes no door ends after a short time, whatever it sends', async () => {
    const strangers: [Client, number | undefined][] = [
      [new Client(), undefined],
      [new Client(get('/-/healthy')), 200],
      [new Client(get('/no-such-page').repeat(20)), 404],
      [new Client(`${post('another')}${batch}`), 401],
      // Its body does not end.
      [new Client(post('another')), 401],
    ];
    await clock.timersSet(strangers.length);
    for (const [client, status] of strangers) if (status !== undefined) await client.answered(status);
    clock.advance(NEWCOMER_MS - 1);
    await settle();
    expect(strangers.map(([{ socket }]) => socket.closed)).toEqual(strangers.map(() => false));
    clock.advance(1);
    await Promise.all(strangers.map(([{ ended }]) => ended));
    expect(clock.timers).toBe(0);
  });

  it('that passed a door keeps its place', async () => {
    const [page, batches] = [new Client(get('/')), new Client(`${post(TOKEN)}${batch}`)];
    for (const client of [page, batches]) await client.answered(200);
    while (clock.timers > 0) await settle();
    clock.advance(10 * NEWCOMER_MS);
    for (const client of [page, batches]) {
      client.text = '';
      client.socket.write(get('/-/healthy'));
      await client.answered(200);
    }
  });

  it('whose batch is on its way has the time of a request, and ends after it where the batch was no good', async () => {
    const slow = new Client(post(TOKEN));
    const arrived = new Promise((resolve) => server.once('request', resolve));
    await arrived;
    while (clock.timers > 0) await settle();
    clock.advance(2 * NEWCOMER_MS);
    slow.socket.write(batch);
    await slow.answered(200);

    const encoded = new Client(
      post(TOKEN).replace('content-length', 'content-encoding: gzip\r\ncontent-length'),
    );
    encoded.socket.write(batch);
    await encoded.answered(415);
    await clock.timersSet(1);
    clock.advance(NEWCOMER_MS);
    await encoded.ended;
  });
});
