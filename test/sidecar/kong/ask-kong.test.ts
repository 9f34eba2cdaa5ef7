import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { askKong, MOST_METRICS_BYTES, type KongAnswer } from '../../../sidecar/kong/ask-kong';
import { Authority } from '../../support/certificates';
import { findFreePorts } from '../../support/free-ports';
import { ScriptedKong, statusText } from '../../support/scripted-kong';

const METRICS = 'kong_http_requests_total{service="up",code="200"} 5\n';
const NEVER = new AbortController().signal;

let kong: ScriptedKong;

beforeEach(async () => {
  kong = await ScriptedKong.start();
});

afterEach(() => kong.close());

function text(body: string, status = 200): RequestListener {
  return (_request, response) => response.writeHead(status).end(body);
}

/** So many bytes of lines, as fast as they are taken; ends early where nobody takes them. */
function sendFor(response: ServerResponse, bytes: number): void {
  const piece = `${'x'.repeat(65_535)}\n`;
  let left = bytes;
  const send = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= piece.length;
      if (!response.write(piece)) return void response.once('drain', send);
    }
    response.end();
  };
  send();
}

/** Asks, and gives up once the listener has been called and has done its part. */
async function askUntil(set: (listener: RequestListener) => void, part?: string): Promise<KongAnswer> {
  const giveUp = new AbortController();
  set((_request, response) => {
    if (part === undefined) giveUp.abort();
    else response.write(part, () => giveUp.abort());
  });
  return askKong(kong.url, giveUp.signal);
}

describe('a Kong that is asked', () => {
  it('says that it lives, and what it served', async () => {
    kong.status = text(statusText(41));
    kong.metrics = text(METRICS);
    expect(await askKong(kong.url, NEVER)).toEqual({
      isReachable: true,
      nginxRequests: 41,
      configurationHash: '9ea3a43a7c1e4bd8b1e6c8b5bd6d0d3c',
      metrics: { requests: 5, targets: [], isForeign: false, isDamaged: false },
      problem: undefined,
    });
    expect(kong.asked).toEqual(['GET /status', 'GET /metrics']);
  });

  it('may be behind a path', async () => {
    expect((await askKong(`${kong.url}/kong-1/`, NEVER)).problem).toBeUndefined();
    expect(kong.asked).toEqual(['GET /kong-1/status', 'GET /kong-1/metrics']);
  });

  it('is not reachable where nothing listens', async () => {
    const port = await findFreePorts(1);
    const { isReachable, problem } = await askKong(`http://127.0.0.1:${port}`, NEVER);
    expect([isReachable, problem]).toEqual([false, '/status cannot be asked: ECONNREFUSED']);
  });

  it('is not reachable where it takes the question and says nothing', async () => {
    const { isReachable, problem } = await askUntil((listener) => (kong.status = listener));
    expect([isReachable, problem]).toEqual([false, '/status does not answer in time']);
  });

  it('is not reachable where its answer stops in the middle', async () => {
    const { isReachable, problem } = await askUntil((listener) => (kong.status = listener), '{"server":');
    expect([isReachable, problem]).toEqual([false, '/status does not answer in time']);
  });

  it.each([
    [503, '/status answers 503'],
    [404, '/status answers 404'],
  ])('is not reachable with status %d', async (status, expected) => {
    kong.status = text(statusText(), status);
    const { isReachable, problem } = await askKong(kong.url, NEVER);
    expect([isReachable, problem]).toEqual([false, expected]);
    expect(kong.asked).toEqual(['GET /status']);
  });

  it('is not followed to another address', async () => {
    const other = await ScriptedKong.start();
    kong.status = (_request, response) => response.writeHead(302, { location: `${other.url}/status` }).end();
    const { isReachable, problem } = await askKong(kong.url, NEVER);
    expect([isReachable, problem]).toEqual([false, '/status answers 302']);
    expect(other.asked).toEqual([]);
    await other.close();
  });

  it.each([
    ['a page', '<html>It works!</html>'],
    ['another JSON', '{"status":"ok"}'],
    ['null', 'null'],
    ['nothing', ''],
  ])('is not reachable where its address answers with %s', async (_what, body) => {
    kong.status = text(body);
    const { isReachable, problem } = await askKong(kong.url, NEVER);
    expect([isReachable, problem]).toEqual([false, '/status answers, but not as Kong does']);
  });

  it('is not reachable where it speaks no HTTP', async () => {
    kong.status = (request) => request.socket.end('SSH-2.0-OpenSSH_9.6\r\n');
    const { isReachable, problem } = await askKong(kong.url, NEVER);
    expect([isReachable, problem]).toEqual([false, '/status answers, but not in whole HTTP']);
  });

  it('is not reachable with a status that has no end', async () => {
    kong.status = (_request, response) => sendFor(response, 2 * 1024 * 1024);
    expect((await askKong(kong.url, NEVER)).problem).toBe('/status answers more than 1 MB');
  });
});

describe("a Kong's metrics", () => {
  it('are missing where its prometheus plugin is not on, and Kong is reachable all the same', async () => {
    kong.metrics = text('{"message":"Not found"}', 404);
    expect(await askKong(kong.url, NEVER)).toEqual({
      isReachable: true,
      nginxRequests: 6,
      configurationHash: '9ea3a43a7c1e4bd8b1e6c8b5bd6d0d3c',
      metrics: undefined,
      problem: '/metrics answers 404: is the prometheus plugin on?',
    });
  });

  it.each([
    ['say nothing', undefined],
    ['stop in the middle', METRICS],
  ])('are missing where they %s', async (_what, part) => {
    const { isReachable, metrics, problem } = await askUntil((listener) => (kong.metrics = listener), part);
    expect([isReachable, metrics, problem]).toEqual([true, undefined, '/metrics does not answer in time']);
  });

  it('are missing where the connection breaks, whatever had come before', async () => {
    kong.metrics = (request, response) => void response.write(METRICS, () => request.socket.destroy());
    const { isReachable, metrics, problem } = await askKong(kong.url, NEVER);
    expect([isReachable, metrics, problem]).toEqual([
      true,
      undefined,
      '/metrics answers, but not in whole HTTP',
    ]);
  });

  it('are missing where they are longer than 64 MB, and the rest is not fetched', async () => {
    let closed: Promise<unknown> | undefined;
    kong.metrics = (_request, response) => {
      closed = once(response, 'close');
      response.write(METRICS);
      sendFor(response, 4 * MOST_METRICS_BYTES);
    };
    const { isReachable, metrics, problem } = await askKong(kong.url, NEVER);
    expect([isReachable, metrics, problem]).toEqual([true, undefined, '/metrics answers more than 64 MB']);
    await closed;
  });

  it('are missing where something else answers', async () => {
    kong.metrics = text('<html>It works!</html>');
    expect((await askKong(kong.url, NEVER)).problem).toBe('/metrics answers, but not as Kong does');
  });

  it('are missing where a line of the requests is broken', async () => {
    kong.metrics = text(`${METRICS}kong_http_requests_total{service="up",code="500"} x\n`);
    expect((await askKong(kong.url, NEVER)).problem).toBe(
      '/metrics has requests in a form that cannot be read',
    );
  });

  it('may have characters that are split between two packets', async () => {
    const line = Buffer.from(
      'kong_upstream_target_health{upstream="é",target="a:1",address="a:1",state="healthy"} 1\n',
    );
    const cut = line.indexOf(0xc3) + 1;
    kong.metrics = (_request, response) => {
      response.write(line.subarray(0, cut), () => setImmediate(() => response.end(line.subarray(cut))));
    };
    expect((await askKong(kong.url, NEVER)).metrics?.targets[0]?.upstream).toBe('é');
  });
});

describe('a Kong with https', () => {
  it('is asked where its certificate is trusted, and else is not reachable', async () => {
    const authority = new Authority('kong-authority');
    const server = createServer(authority.issue('kong'), (request, response) => {
      response.end(request.url === '/status' ? statusText() : METRICS);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { isReachable, problem } = await askKong(url, NEVER);
    expect(isReachable).toBe(false);
    expect(problem).toBe('/status cannot be asked: UNABLE_TO_VERIFY_LEAF_SIGNATURE');

    const before = getGlobalDispatcher();
    const trusting = new Agent({ connect: { ca: authority.cert } });
    setGlobalDispatcher(trusting);
    expect((await askKong(url, NEVER)).metrics?.requests).toBe(5);
    setGlobalDispatcher(before);
    await trusting.close();
    await new Promise((resolve) => server.close(resolve));
  });
});
