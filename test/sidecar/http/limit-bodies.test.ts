// Many large bodies at once: what they take of the sidecar's memory has a bound, and who sends to the end is served.
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import express from 'express';
import { MAX_BODY_BYTES } from '../../../kong-plugin/contract/batch';
import { LimitedBodies, MAX_BODIES_BYTES } from '../../../sidecar/http/limit-bodies';
import { eventually } from '../../support/eventually';
import { settle } from '../../support/manual-clock';
import { post, postedBatch } from '../../support/posted-batches';
import { memoryPeakMb } from '../../support/process-memory';
import { parseSamples, sumOf } from '../../support/samples';
import { SidecarProcess } from '../../support/sidecar-process';

const MOST_BODIES = MAX_BODIES_BYTES / MAX_BODY_BYTES;
const UNFINISHED = 8 * MOST_BODIES;
/** What is held, and as much again of what was let go and is not yet collected. Without the bound it is 500. */
const MAX_GROWTH_MB = 256;

describe('bodies that do not end', () => {
  let sidecar: SidecarProcess;
  let sockets: Socket[];

  beforeEach(async () => {
    sockets = [];
    sidecar = await SidecarProcess.start();
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await sidecar.remove();
  });

  /** Sends a batch of the largest size without its last bytes; `answer` gives what came by the end of the connection. */
  function sendUnfinished(): Promise<string> {
    const socket = connect(Number(new URL(sidecar.url).port), '127.0.0.1');
    sockets.push(socket);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => undefined);
    socket.write(`POST /v1/batches HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${MAX_BODY_BYTES}\r\n\r\n`);
    socket.write(Buffer.alloc(MAX_BODY_BYTES - 10, 0x20));
    return new Promise((resolve) => socket.once('close', () => resolve(text)));
  }

  async function refused(reason: string): Promise<number> {
    const samples = parseSamples(await (await fetch(`${sidecar.url}/metrics`)).text());
    return sumOf(samples, 'gatewatch_http_refused_requests_total', { reason });
  }

  it('take no more than a bound; the oldest get 503 and are counted, and a batch is taken meanwhile', async () => {
    expect(await refused('too_many_bodies')).toBe(0);
    const beforeMb = memoryPeakMb(sidecar.pid);
    const answers: string[] = [];
    for (let one = 0; one < UNFINISHED; one++) void sendUnfinished().then((text) => answers.push(text));
    await eventually(async () => {
      expect(await refused('too_many_bodies')).toBe(UNFINISHED - MOST_BODIES);
      expect(answers).toHaveLength(UNFINISHED - MOST_BODIES);
    });
    // A connection that is ended while its client still sends may lose its answer.
    for (const text of answers.filter((given) => given !== ''))
      expect(text).toMatch(/^HTTP\/1\.1 503 [^]*\r\nRetry-After: 1\r\n[^]*Connection: close\r\n/);
    expect(answers.some((text) => text !== '')).toBe(true);
    for (let sequence = 1; sequence <= 5; sequence++)
      expect(await post(sidecar.url, postedBatch(sequence))).toMatchObject({ result: 'applied' });
    expect(await refused('aborted')).toBe(0);
    expect(memoryPeakMb(sidecar.pid) - beforeMb).toBeLessThan(MAX_GROWTH_MB);
  });
});

describe('a body that is whole', () => {
  it('counts until its handler has settled, whether or not its client stays, and is never broken off', async () => {
    let refusals = 0;
    const bodies = new LimitedBodies(100, () => (refusals += 1));
    const held: (() => void)[] = [];
    const app = express();
    app.post(
      '/',
      bodies.watch,
      express.raw({ type: () => true }),
      bodies.during(async (_request, response) => {
        await new Promise<void>((resolve) => held.push(resolve));
        response.end('counted');
      }),
    );
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const send = (bytes: number, signal?: AbortSignal): Promise<Response> =>
      fetch(url, { method: 'POST', body: 'x'.repeat(bytes), ...(signal ? { signal } : {}) });
    try {
      const first = send(60);
      while (held.length < 1) await settle();
      const leaving = new AbortController();
      const left = send(30, leaving.signal).catch(() => 'left');
      while (held.length < 2) await settle();
      leaving.abort();
      expect(await left).toBe('left');
      const refused = await send(20);
      expect([refused.status, refused.headers.get('retry-after'), refusals]).toEqual([503, '1', 1]);
      expect(bodies.bytes).toBe(90);
      for (const go of held) go();
      expect(await (await first).text()).toBe('counted');
      while (bodies.bytes > 0) await settle();
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
