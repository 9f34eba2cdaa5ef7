// The built sidecar tells a strict Sentry of itself: real processes, real envelopes.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SENT_AT_HEADER, encodeBatch } from '../../../kong-plugin/contract/batch';
import { batchOf, deltaOf } from '../../support/batches';
import { EnvelopeServer } from '../../support/envelope-server';
import { eventually } from '../../support/eventually';
import { parseSamples, sumOf } from '../../support/samples';
import { API_TOKEN, SentryApiServer } from '../../support/sentry-api-server';
import { SidecarProcess } from '../../support/sidecar-process';
import { slowness } from '../../support/slowness';
import { WebhookReceiver } from '../../support/webhook-receiver';

const PRELOAD = resolve(__dirname, '../../support/own-faults-preload.cjs');
const SECRET_PATH = 'T0SECRET-path-key-long';
const KEY = '0123456789abcdef0123456789abcdef';

let sentry: EnvelopeServer;
let hook: WebhookReceiver;
let sidecar: SidecarProcess | undefined;

beforeEach(async () => {
  sentry = await EnvelopeServer.start({ publicKey: KEY });
  hook = await WebhookReceiver.start();
});
afterEach(async () => {
  await sidecar?.remove();
  sidecar = undefined;
  await sentry.close();
  await hook.close();
});

async function start(sentryKeys = '', env: Record<string, string> = {}, more = ''): Promise<SidecarProcess> {
  const settings = [
    'evaluation_interval: 1s',
    'rules: [{ name: errors, error_rate_threshold: 0.5, window: 10s, for: 0s, confidence: off }]',
    `channels: [{ name: oncall, type: webhook, url: "${hook.url(`/${SECRET_PATH}?key=${SECRET_PATH}`)}", allow_private_addresses: true }]`,
    `sentry: { dsn: "${sentry.dsn()}", environment: test ${sentryKeys} }`,
    more,
  ].join('\n');
  sidecar = await SidecarProcess.prepare({
    settings,
    env: { PLANTED: `/${SECRET_PATH}`, ...env },
    nodeFlags: ['--require', PRELOAD],
  });
  await sidecar.start();
  return sidecar;
}

async function failRequests({ url }: SidecarProcess, sequence = 1): Promise<void> {
  const body = encodeBatch(
    batchOf([deltaOf({ status: 500, errorType: 'gateway_error', severity: 'error' }, [5])], sequence),
  );
  const answer = await fetch(`${url}/v1/batches`, {
    method: 'POST',
    body,
    // Its interval has just been, by this clock.
    headers: { 'content-type': 'application/json', [SENT_AT_HEADER]: '1700000001000' },
  });
  expect(answer.status).toBe(200);
}

async function scrape({ url }: SidecarProcess): Promise<ReturnType<typeof parseSamples>> {
  return parseSamples(await (await fetch(`${url}/metrics`)).text());
}

/** Ends the failing of /metrics; gives how many more of its answers failed until then. */
async function heal({ pid, url }: SidecarProcess): Promise<number> {
  process.kill(pid, 'SIGURG');
  for (let failures = 0; ; failures++) {
    const answer = await fetch(`${url}/metrics`);
    await answer.text();
    if (answer.status === 200) return failures;
  }
}

/** Nothing that came has a secret or an address in it, and all of it was well-formed. */
function expectClean(): void {
  const text = sentry.received.map((envelope) => envelope.text).join('\n');
  expect(sentry.faults).toEqual([]);
  expect(text).not.toContain(SECRET_PATH);
  expect(text).not.toContain(new URL(hook.url()).host);
  for (const word of ['server_name', 'ip_address', '"headers"', '"cookies"', 'user-agent', process.cwd()]) {
    expect(text).not.toContain(word);
  }
}

describe('a sidecar that tells Sentry of itself', () => {
  it.each([
    ['an uncaught exception', 'SIGUSR2', 'TypeError'],
    ['an unhandled rejection', 'SIGWINCH', 'RangeError'],
  ] as const)('reports %s, and ends all the same with exit code 1', async (_, signal, type) => {
    const running = await start();
    process.kill(running.pid, signal);
    await sentry.until(() => sentry.payloads('event').length > 0);
    await running.says(/a planted/);
    expect(running.output).not.toContain(SECRET_PATH);
    const [event] = sentry.payloads('event');
    expect(event).toMatchObject({
      level: 'fatal',
      environment: 'test',
      tags: { program: 'sidecar', place: 'the process' },
      exception: { values: [{ type, mechanism: { handled: false } }] },
    });
    expect(event?.['release']).toMatch(/^gatewatch@\d+\.\d+\.\d+$/);
    expectClean();
    expect(await running.ended).toEqual({ code: 1, signal: null });
  });

  it('ends with exit code 1 where Sentry does not answer', async () => {
    sentry.otherwise = 'hang';
    const running = await start();
    const { pid } = running;
    const beganMs = performance.now();
    process.kill(pid, 'SIGUSR2');
    expect(await running.ended).toEqual({ code: 1, signal: null });
    expect(performance.now() - beganMs).toBeLessThan(4_000 * slowness());
  });

  it('reports a storm of its own faults a few times, and tells in the counters how often it was held back', async () => {
    const running = await start('', { FAILING_METRICS: '1' });
    for (let request = 0; request < 50; request++) {
      expect((await fetch(`${running.url}/metrics?token=${SECRET_PATH}`)).status).toBe(500);
    }
    await sentry.until(() => sentry.payloads('event').length >= 3);
    const more = await heal(running);
    await eventually(async () => {
      const samples = await scrape(running);
      expect(sumOf(samples, 'gatewatch_sidecar_sentry_events_total', { outcome: 'sent' })).toBe(3);
      expect(sumOf(samples, 'gatewatch_sidecar_sentry_events_total', { outcome: 'held_back' })).toBe(
        47 + more,
      );
    });
    expect(sentry.payloads('event')).toHaveLength(3);
    expect(sentry.payloads('event')[0]).toMatchObject({ level: 'error', tags: { place: 'GET /metrics' } });
    expectClean();
  });

  it('counts as rate limited what Sentry does not want, and sends no more of it', async () => {
    sentry.otherwise = { status: 429, headers: { 'x-sentry-rate-limits': '60:error:key' } };
    const running = await start('', { FAILING_METRICS: '1' });
    await fetch(`${running.url}/metrics`);
    await sentry.until(() => sentry.received.length > 0);
    await fetch(`${running.url}/metrics`);
    await heal(running);
    await eventually(async () => {
      const samples = await scrape(running);
      const count = (outcome: string): number =>
        sumOf(samples, 'gatewatch_sidecar_sentry_events_total', { outcome });
      expect(count('rate_limited')).toBeGreaterThanOrEqual(2);
      expect([count('sent'), count('failed')]).toEqual([0, 0]);
    });
    expect(sentry.received.filter(({ items }) => items.some(({ type }) => type === 'event'))).toHaveLength(1);
  });

  it('has outgoing requests as breadcrumbs and spans by the name of their channel, and adds no header to them', async () => {
    const running = await start(', traces_sample_rate: 1');
    await failRequests(running);
    await hook.received(1);
    const [sent] = hook.requests;
    for (const header of ['sentry-trace', 'baggage', 'traceparent'])
      expect(sent?.headers).not.toHaveProperty(header);
    await sentry.until(() => sentry.payloads('transaction').length > 0);
    expect(sentry.payloads('transaction')[0]).toMatchObject({
      transaction: 'deliver to oncall',
      contexts: { trace: { op: 'notification' } },
      spans: [
        {
          op: 'http.client',
          description: 'POST deliver to oncall',
          data: { 'http.request.method': 'POST', 'http.response.status_code': 200 },
        },
      ],
    });
    process.kill(running.pid, 'SIGUSR2');
    await sentry.until(() => sentry.payloads('event').length > 0);
    expect(sentry.payloads('event')[0]?.['breadcrumbs']).toMatchObject([
      { category: 'http', message: 'deliver to oncall', data: { method: 'POST', status_code: 200 } },
    ]);
    expectClean();
  });

  it('checks in with its monitor at its first round, and makes it', async () => {
    await start(', monitor: rounds');
    await sentry.until(() => sentry.payloads('check_in').length > 0);
    expect(sentry.payloads('check_in')).toMatchObject([
      {
        monitor_slug: 'rounds',
        status: 'ok',
        environment: 'test',
        monitor_config: { schedule: { type: 'interval', value: 1, unit: 'minute' }, checkin_margin: 2 },
      },
    ]);
    expectClean();
  });

  it('is profiled from its start, and sends the last piece at its end', async () => {
    const running = await start(', continuous_profiling_auto_start: true');
    await failRequests(running);
    await running.end();
    expect(sentry.payloads('profile_chunk')).toHaveLength(1);
    expect(running.output).not.toContain('cannot be profiled');
    expect(sentry.faults).toEqual([]);
  });

  it('warns once of a profiler without its native part, and works', async () => {
    const running = await start(', continuous_profiling_auto_start: true', {
      SENTRY_PROFILER_BINARY_PATH: resolve(__dirname, 'own-sentry.test.ts'),
    });
    expect(running.output.match(/cannot be profiled/g)).toHaveLength(1);
    await failRequests(running);
    await hook.received(1);
    await running.end();
    expect(sentry.payloads('profile_chunk')).toEqual([]);
  });

  it('opens no profiler where auto start is off', async () => {
    const running = await start(', profile_session_sample_rate: 1');
    await failRequests(running);
    await running.end();
    expect(sentry.payloads('profile_chunk')).toEqual([]);
  });

  it('shows Spotlight what it would tell Sentry, without a DSN', async () => {
    const shown: string[] = [];
    hook.otherwise = { status: 200 };
    sidecar = await SidecarProcess.prepare({
      settings: `evaluation_interval: 1s\nsentry: { monitor: rounds }`,
      env: { SENTRY_SPOTLIGHT: hook.url('/stream') },
    });
    await sidecar.start();
    await hook.received(1);
    shown.push(...hook.requests.map(({ body }) => body));
    expect(hook.requests[0]).toMatchObject({
      path: '/stream',
      headers: { 'content-type': 'application/x-sentry-envelope' },
    });
    expect(shown.join('')).toContain('"monitor_slug":"rounds"');
  });

  it('opens an issue for an alert and resolves it when the alert ends', async () => {
    const api = await SentryApiServer.start();
    try {
      const channel = `type: sentry, auth_token: ${API_TOKEN}, organization: acme, project: gateway`;
      sidecar = await SidecarProcess.prepare({
        settings: [
          'evaluation_interval: 1s',
          'rules: [{ name: errors, error_rate_threshold: 0.5, window: 10s, for: 0s, confidence: off }]',
          `channels: [{ name: issues, ${channel}, api_url: "${api.url}" }]`,
          'notifications: { group_interval: 0s }',
          `sentry: { dsn: "${sentry.dsn()}", environment: test }`,
        ].join('\n'),
      });
      await sidecar.start();
      await failRequests(sidecar);
      await sentry.until(() => sentry.payloads('event').length > 0);
      const [event] = sentry.payloads('event');
      expect(event).toMatchObject({ level: 'warning', tags: { rule: 'errors', service: 'orders' } });
      api.issueOfEvent.set(String(event?.['event_id']), '4711');
      // The rule goes, and with it the alert ends.
      const config = join(sidecar.directory, 'gatewatch.yml');
      writeFileSync(config, readFileSync(config, 'utf8').replace(/^rules: .*$/m, 'rules: []'));
      process.kill(sidecar.pid, 'SIGHUP');
      await eventually(() => {
        expect(api.resolved).toEqual(['4711']);
        return Promise.resolve();
      });
      expect([api.faults, sentry.faults]).toEqual([[], []]);
      expect(sidecar.output).not.toContain(API_TOKEN);
    } finally {
      await api.close();
    }
  });
});
