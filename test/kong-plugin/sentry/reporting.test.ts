// The built plugin under the real stock plugin server and under our host, reporting to a strict Sentry on 127.0.0.1.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { SENTRY_STATISTICS } from '../../../kong-plugin/contract/sentry-statistics';
import { readDsn } from '../../../kong-plugin/contract/sentry-dsn';
import type { SentryCategory, SentryOutcome } from '../../../kong-plugin/sentry/sentry-outcome';
import { EnvelopeServer, type JsonObject } from '../../support/envelope-server';
import { leaksOf, plantedLog } from '../../support/planted-log';
import { PLUGIN_SERVERS } from '../../support/plugin-servers';
import { ScriptedSidecar } from '../../support/scripted-sidecar';
import { SpokenPluginServer } from '../../support/spoken-plugin-server';

const LOGS = resolve(__dirname, '../../fixtures/kong/logs');
const logOf = (name: string): string => readFileSync(join(LOGS, `${name}.json`), 'utf8');

/** In each mode, under each server. */
const PLANTED_LOGS = 100;
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);

describe.each(PLUGIN_SERVERS)('under $title', (program) => {
  let directory: string;
  let sidecar: ScriptedSidecar;
  let sentry: EnvelopeServer;
  let server: SpokenPluginServer;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gatewatch-sentry-'));
    sidecar = await ScriptedSidecar.start();
    sentry = await EnvelopeServer.start();
  });

  afterEach(async () => {
    await server.end('SIGKILL');
    await Promise.all([sidecar.close(), sentry.close()]);
    rmSync(directory, { recursive: true, force: true });
    expect(sentry.faults).toEqual([]);
  });

  async function start(settings: Readonly<Record<string, unknown>>): Promise<void> {
    server = await SpokenPluginServer.start({
      program,
      directory,
      // At the end everything is to be sent, also on a busy machine.
      config: {
        sidecar_url: sidecar.url,
        sentry: { dsn: sentry.dsn(), shutdown_timeout_ms: 20_000, ...settings },
      },
      connections: 1,
    });
  }

  async function log(...texts: string[]): Promise<void> {
    for (const text of texts) await server.logEvents(1, () => text);
  }

  /** What the batches said so far. */
  function counted(category: SentryCategory, outcome: SentryOutcome): number {
    const name = SENTRY_STATISTICS[category][outcome];
    return sidecar.taken.reduce((sum, { statistics }) => sum + statistics[name], 0);
  }

  const typesOf = (events: readonly JsonObject[]): unknown[] =>
    events.map((event) => (event as { exception: { values: [{ type: string }] } }).exception.values[0].type);

  it('brings each recorded error as one event with its trace, and counts it', async () => {
    await start({
      traces_sample_rates: { production: 0 },
      traces_follow_parent: false,
      traces_slow_ms: 60_000,
    });
    await log(...readdirSync(LOGS).map((name) => readFileSync(join(LOGS, name), 'utf8')));
    expect(await server.end()).toEqual(program.endAtSigterm);
    const events = sentry.payloads('event');
    const transactions = sentry.payloads('transaction');
    expect(typesOf(events).sort()).toEqual([
      ...['client_closed_request', 'client_closed_request', 'rate_limited'],
      ...['request_rejected', 'request_rejected', 'route_not_found'],
      ...['service_unavailable', 'service_unavailable', 'service_unavailable'],
      ...['unauthorized', 'unauthorized', 'upstream_server_error', 'upstream_server_error'],
      ...['upstream_timeout', 'upstream_unreachable'],
    ]);
    expect(counted('error', 'sent')).toBe(events.length);
    expect(counted('transaction', 'sent')).toBe(transactions.length);
    const traceOf = (event: JsonObject): unknown =>
      (event['contexts'] as { trace: JsonObject }).trace['span_id'];
    expect(transactions.map(traceOf).sort()).toEqual(events.map(traceOf).sort());
  });

  it('holds back a storm, tells of it with the next event, and counts each error once', async () => {
    await start({ governor: { issue_burst: 2, issue_events_per_minute: 600 }, traces_enabled: false });
    const storm = Array.from({ length: 300 }, () => logOf('502-refused'));
    await log(...storm);
    // A token every 100 ms.
    await sentry.until(() => sentry.payloads('event').length >= 2);
    while (!sentry.payloads('event').some(hasHeldBack)) await log(logOf('502-refused'));
    await server.end();
    const events = sentry.payloads('event');
    const offered = server.answered;
    expect(counted('error', 'sent')).toBe(events.length);
    expect(counted('error', 'sent') + counted('error', 'held_back')).toBe(offered);
    const told = events.reduce((sum, event) => sum + heldBackOf(event), 0);
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual(counted('error', 'held_back'));
  });

  it('tells of those that were held back the trace ids of transactions that went, whoever named the traces', async () => {
    await start({
      governor: { issue_burst: 1, issue_events_per_minute: 600 },
      traces_sample_rates: { production: 1 },
    });
    const { request, ...others } = JSON.parse(logOf('502-refused')) as { request: JsonObject };
    const nameless = JSON.stringify({ ...others, request: { ...request, id: undefined } });
    while (!sentry.payloads('event').some(hasHeldBack)) await log(nameless);
    await server.end();
    const told = sentry.payloads('event').flatMap((event) => {
      const { held_back: heldBack } = event['contexts'] as { held_back?: { trace_ids: string } };
      return heldBack ? heldBack.trace_ids.split(', ') : [];
    });
    const sent = sentry
      .payloads('transaction')
      .map(({ contexts }) => (contexts as { trace: { trace_id: string } }).trace.trace_id);
    expect(told.length).toBeGreaterThan(0);
    expect(sent).toEqual(expect.arrayContaining(told));
  });

  it('works without a DSN, as a reference that Kong could not resolve gives it', async () => {
    await start({ dsn: '' });
    await log(logOf('500'));
    expect(await server.end()).toEqual(program.endAtSigterm);
    expect(sidecar.requests).toBe(1);
    expect(sentry.received).toEqual([]);
  });

  it('refuses a malformed DSN by name without showing it, and counts all the same', async () => {
    await start({ dsn: 'https://planted@sentry.example/none' });
    await server.says(
      /nothing is reported to Sentry until.*gatewatch: sentry\.dsn: expected https:\/\/KEY@HOST\/PROJECT/,
    );
    await log(logOf('500'));
    await server.end();
    expect(sidecar.requests).toBe(1);
    expect(server.output).not.toContain('planted');
  });

  it('has several DSNs side by side, by service and by instance, each with its own events', async () => {
    await start({
      services: [{ service: 'up', dsn: sentry.dsn('7'), environment: 'staging' }],
      traces_enabled: false,
    });
    await log(logOf('500'), logOf('502-refused'));
    await server.startInstance({ sentry: { dsn: sentry.dsn('9'), traces_enabled: false } });
    await log(logOf('500'));
    await server.end();
    const seen = sentry.received.flatMap(({ project, items }) =>
      items
        .filter(({ type }) => type === 'event')
        .map(
          ({ payload }) => `${project} ${String(payload['environment'])} ${String(typesOf([payload])[0])}`,
        ),
    );
    expect(seen.sort()).toEqual([
      '42 production upstream_unreachable',
      '7 staging upstream_server_error',
      '9 production upstream_server_error',
    ]);
    expect(counted('error', 'sent')).toBe(3);
  });

  it('keeps to its time at SIGTERM while Sentry does not answer, and counts what did not go', async () => {
    sentry.otherwise = 'hang';
    await start({ shutdown_timeout_ms: 300, traces_enabled: false });
    await log(logOf('500'), logOf('502-refused'));
    const beganMs = performance.now();
    expect(await server.end()).toEqual(program.endAtSigterm);
    expect(performance.now() - beganMs).toBeLessThan(10_000);
    expect(counted('error', 'failed')).toBe(2);
    expect(sidecar.requests).toBe(2);
  });

  it('stops where Sentry asks for a pause, and counts what falls into it', async () => {
    sentry.answer({ status: 429, headers: { 'x-sentry-rate-limits': '60:error:organization' } });
    await start({ traces_sample_rates: { production: 1 } });
    await log(logOf('500'));
    await sentry.until(() => sentry.received.length >= 2);
    await log(logOf('502-refused'), logOf('504-timeout'));
    await server.end();
    expect(counted('error', 'rate_limited')).toBe(3);
    expect(counted('error', 'sent')).toBe(0);
    expect(counted('transaction', 'sent')).toBe(3);
  });

  it.each([
    ['off', false],
    ['on', true],
  ])(
    `lets nothing planted leave in an envelope, with personal data %s (seed ${SEED})`,
    async (_word, sendsPersonalData) => {
      const planted = fc.sample(plantedLog, { numRuns: PLANTED_LOGS, seed: SEED }).map(({ text }) => text);
      const wide = { issue_burst: 1_000, total_burst: 10_000, transaction_burst: 10_000 };
      await start({
        send_personal_data: sendsPersonalData,
        traces_sample_rates: { production: 1 },
        minimum_severity: 'info',
        governor: wide,
      });
      await log(...planted);
      await server.end();
      expect(counted('transaction', 'sent')).toBe(PLANTED_LOGS);
      expect(sentry.payloads('event').length).toBeGreaterThan(PLANTED_LOGS / 3);
      expect(leaksOf(sentry.received.map(({ text }) => text).join(''), sendsPersonalData)).toEqual([]);
    },
  );

  it('profiles its process where that is switched on, and sends the last piece at SIGTERM', async () => {
    await start({ continuous_profiling_auto_start: true, environment: 'staging' });
    await log(logOf('200'));
    await server.end();
    expect(sentry.payloads('profile_chunk')).toMatchObject([
      { platform: 'node', version: '2', environment: 'staging', release: 'gatewatch@0.1.0' },
    ]);
  });

  it('shows to Spotlight alone where there is no DSN', async () => {
    const { origin, path } = readDsn(sentry.dsn());
    await start({
      dsn: null,
      spotlight: true,
      spotlight_url: `${origin}${path}`,
      continuous_profiling_auto_start: true,
    });
    await log(logOf('500'));
    await server.end();
    expect(typesOf(sentry.payloads('event'))).toEqual(['upstream_server_error']);
    expect(sentry.payloads('profile_chunk')).toHaveLength(1);
    expect(counted('error', 'sent')).toBe(1);
  });
});

function heldBackOf(event: JsonObject): number {
  const { held_back: heldBack } = event['contexts'] as { held_back?: { count: number } };
  return heldBack?.count ?? 0;
}

function hasHeldBack(event: JsonObject): boolean {
  return heldBackOf(event) > 0;
}
