// The watch asks the embedded gateway's status API, which answers as Kong's does; the clock is the test's.
import { kongFamilies } from '../../../sidecar/exposition/kong-families';
import { renderFamilies } from '../../../sidecar/exposition/render-families';
import { askKong } from '../../../sidecar/kong/ask-kong';
import { KongWatch } from '../../../sidecar/kong/kong-watch';
import { SETTLE_MS } from '../../../sidecar/kong/observed-requests';
import { captureLog } from '../../support/captured-log';
import { startTestGateway } from '../../support/embedded-gateway';
import { ManualClock } from '../../support/manual-clock';
import { parseSamples } from '../../support/samples';
import { ScriptedUpstream } from '../../support/scripted-upstream';

const INTERVAL_MS = 10_000;

let upstream: ScriptedUpstream;

beforeAll(async () => {
  upstream = await ScriptedUpstream.start((_request, response) => void response.end('ok'));
});

afterAll(() => upstream.close());

const gateway = (): ReturnType<typeof startTestGateway> =>
  startTestGateway(
    () => `
services:
  - { name: up, url: 'http://127.0.0.1:${upstream.port}', routes: [{ name: r-up, paths: [/u] }] }
  - { name: pooled, host: pool, routes: [{ name: r-pool, paths: [/p] }] }
upstreams:
  - name: pool
    targets: [{ target: '127.0.0.1:${upstream.port}' }, { target: 'nowhere.invalid:80' }]
plugins: [{ name: prometheus, config: { status_code_metrics: true, upstream_health_metrics: true } }]
`,
  );

describe('the embedded gateway, watched', () => {
  it('tells what it served and how its targets are, and is not reachable once it has stopped', async () => {
    const kong = await gateway();
    const clock = new ManualClock();
    let counted = 0;
    const settings = { statusUrls: [kong.statusUrl], intervalMs: INTERVAL_MS, timeoutMs: 5_000 };
    const parts = { ask: askKong, clock, logger: captureLog().logger, countedRequests: () => counted };
    const watch = new KongWatch(parts, settings, INTERVAL_MS);
    /** A round has ended once it waits for the batches and for the next round. */
    const endOfRound = (): Promise<void> => clock.timersSet(2);
    const instance = new URL(kong.statusUrl).host;

    watch.start();
    await endOfRound();
    expect(watch.facts().instances).toEqual([
      {
        instance,
        isReachable: true,
        configurationHash: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        problem: undefined,
        targets: [
          {
            upstream: 'pool',
            target: `127.0.0.1:${upstream.port}`,
            healthyAddresses: [`127.0.0.1:${upstream.port}`],
            unhealthyAddresses: [],
          },
          {
            upstream: 'pool',
            target: 'nowhere.invalid:80',
            healthyAddresses: [],
            unhealthyAddresses: ['dns_error'],
          },
        ],
      },
    ]);
    clock.advance(SETTLE_MS);

    for (const path of ['/u', '/u', '/u', '/p', '/nowhere']) {
      await (await fetch(`${kong.proxyUrl}${path}`)).text();
    }
    counted = 3;
    clock.advance(INTERVAL_MS - SETTLE_MS);
    await endOfRound();
    clock.advance(SETTLE_MS);
    expect(watch.facts().observed(INTERVAL_MS)).toEqual({ served: 4, counted: 3 });
    const text = [...renderFamilies(kongFamilies(watch.facts(), watch.polls(), INTERVAL_MS), 'text')].join(
      '',
    );
    expect(parseSamples(text)).toEqual([
      { name: 'gatewatch_observed_ratio', labels: {}, value: 0.75 },
      { name: 'gatewatch_kong_up', labels: { instance }, value: 1 },
      {
        name: 'gatewatch_kong_target_healthy',
        labels: { instance, upstream: 'pool', target: `127.0.0.1:${upstream.port}` },
        value: 1,
      },
      {
        name: 'gatewatch_kong_target_healthy',
        labels: { instance, upstream: 'pool', target: 'nowhere.invalid:80' },
        value: 0,
      },
      { name: 'gatewatch_kong_polls_total', labels: { instance, result: 'answered' }, value: 2 },
      { name: 'gatewatch_kong_polls_total', labels: { instance, result: 'without_metrics' }, value: 0 },
      { name: 'gatewatch_kong_polls_total', labels: { instance, result: 'unanswered' }, value: 0 },
    ]);

    await kong.stop();
    for (let failure = 0; failure < 2; failure++) {
      clock.advance(INTERVAL_MS - SETTLE_MS);
      await endOfRound();
      clock.advance(SETTLE_MS);
    }
    expect(watch.facts().instances).toMatchObject([
      { isReachable: false, problem: '/status cannot be asked: ECONNREFUSED' },
    ]);
    watch.stop();
  });
});
