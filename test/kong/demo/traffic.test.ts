import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROTA, startTraffic } from '../../../kong/demo/traffic';

describe('the traffic of the demo', () => {
  let server: Server;
  let origin: string;
  let open = 0;
  let mostOpen = 0;
  let served = 0;
  let onServed: () => void = () => undefined;
  let answers: boolean;

  beforeEach(async () => {
    open = mostOpen = served = 0;
    answers = true;
    server = createServer((request, response) => {
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      served += 1;
      response.once('close', () => (open -= 1));
      request.resume();
      if (answers) response.end('ok');
      onServed();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const untilServed = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onServed = () => {
        if (served >= count) resolve();
      };
      onServed();
    });

  it('counts exactly what the gateway got, and sends nothing once stopped', async () => {
    const traffic = startTraffic(origin, 200, 4);
    await untilServed(30);
    await traffic.stop();
    expect(traffic.counts.sent).toBe(served);
    expect(traffic.counts.answered).toBe(served);
    expect(traffic.counts.failed).toBe(0);
  });

  it('keeps to its bound while nothing is answered, and counts the turns it skipped', async () => {
    answers = false;
    const traffic = startTraffic(origin, 500, 3);
    while (traffic.counts.skipped < 20) await new Promise((resolve) => setImmediate(resolve));
    expect(mostOpen).toBeLessThanOrEqual(3);
    expect(traffic.counts.sent).toBe(3);
    server.closeAllConnections();
    await traffic.stop();
    expect(traffic.counts.failed + traffic.counts.answered).toBe(traffic.counts.sent);
  });

  it('survives a gateway that is not there', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const traffic = startTraffic(origin, 500, 3);
    while (traffic.counts.failed < 5) await new Promise((resolve) => setImmediate(resolve));
    await traffic.stop();
    expect(traffic.counts.answered).toBe(0);
    expect(traffic.counts.failed).toBe(traffic.counts.sent);
  });
});

it('the rota covers every route of kong.yml and one path that no route knows', () => {
  interface WithPaths {
    paths: string[];
  }
  const text = readFileSync(join(__dirname, '..', '..', '..', 'kong', 'kong.yml'), 'utf8');
  const kong = parse(text) as { services: { routes: WithPaths[] }[]; routes: WithPaths[] };
  const routes = [...kong.services.flatMap((service) => service.routes), ...kong.routes];
  const paths = routes.flatMap((route) => route.paths);
  const asked = new Set(ROTA.map(({ path }) => path));
  expect([...asked].filter((path) => !paths.includes(path))).toEqual(['/no-such-route']);
  expect(paths.filter((path) => !asked.has(path))).toEqual([]);
});
