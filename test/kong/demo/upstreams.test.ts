import { request } from 'undici';
import { planAnswer, startDemoUpstreams, type DemoUpstreams } from '../../../kong/demo/upstreams';
import { findFreePorts } from '../../support/free-ports';

describe('the demo upstreams', () => {
  let base: number;
  let upstreams: DemoUpstreams;

  beforeEach(async () => {
    base = await findFreePorts(6);
    upstreams = await startDemoUpstreams('127.0.0.1', base);
  });
  afterEach(() => upstreams.close());

  const ask = async (port: number): Promise<number> => {
    const answer = await request(`http://127.0.0.1:${port}/`);
    await answer.body.dump();
    return answer.statusCode;
  };

  it('answer, refuse and time out as kong.yml says', async () => {
    expect(await ask(base)).toBe(200);
    expect(await ask(base + 5)).toBe(200);
    await expect(ask(base + 3)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(request(`http://127.0.0.1:${base + 4}/`, { headersTimeout: 300 })).rejects.toMatchObject({
      code: 'UND_ERR_HEADERS_TIMEOUT',
    });
  });

  it('let one in ten flaky requests end with 500 and one with 422', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 20; n++) statuses.push(await ask(base + 2));
    expect(statuses.filter((status) => status === 500)).toHaveLength(2);
    expect(statuses.filter((status) => status === 422)).toHaveLength(2);
    expect(statuses.filter((status) => status === 200)).toHaveLength(16);
  });

  it('tell what they served, without counting the question', async () => {
    await ask(base);
    await ask(base);
    await ask(base + 5);
    for (const port of [base, base + 4]) {
      const answer = await request(`http://127.0.0.1:${port}/__served`);
      expect(await answer.body.json()).toEqual({
        fast: 2,
        slow: 0,
        flaky: 0,
        refusing: 0,
        'timing-out': 0,
        pooled: 1,
      });
    }
  });

  it('close while a request is open', async () => {
    const open = request(`http://127.0.0.1:${base + 4}/`).then(
      () => 'answered',
      () => 'broken off',
    );
    while (upstreams.served['timing-out'] === 0) await new Promise((resolve) => setImmediate(resolve));
    await upstreams.close();
    expect(await open).toBe('broken off');
  });

  it('say which port is taken when started twice', async () => {
    await expect(startDemoUpstreams('127.0.0.1', base)).rejects.toThrow(
      `EADDRINUSE: address already in use 127.0.0.1:${base}`,
    );
  });
});

it('the slow service takes each whole millisecond from 400 to 900 once in 501 requests', () => {
  const delays = Array.from({ length: 501 }, (_, index) => planAnswer('slow', index + 1).delayMs);
  expect(delays.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 501 }, (_, index) => 400 + index));
});
