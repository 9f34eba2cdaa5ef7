// Traces of the sidecar's own work, with a strict Sentry on 127.0.0.1.
import '../../support/forget-channels';
import pino from 'pino';
import { request } from 'undici';
import { Secret } from '../../../sidecar/config/secret';
import type { OwnSentry } from '../../../sidecar/sentry/own-sentry';
import { startSdk } from '../../../sidecar/sentry/sdk-sentry';
import { EnvelopeServer, type JsonObject } from '../../support/envelope-server';
import { ManualClock } from '../../support/manual-clock';
import { WebhookReceiver } from '../../support/webhook-receiver';

let server: EnvelopeServer;
let hook: WebhookReceiver;
let sentry: OwnSentry;
let clock: ManualClock;

beforeEach(async () => {
  server = await EnvelopeServer.start();
  hook = await WebhookReceiver.start();
  clock = new ManualClock();
});
afterEach(async () => {
  await server.close();
  await hook.close();
  expect(server.faults).toEqual([]);
});

function start(tracesSampleRate: number): void {
  sentry = startSdk(
    {
      dsn: new Secret(server.dsn()),
      environment: 'test',
      release: undefined,
      tracesSampleRate,
      profileSessionSampleRate: 0,
      isProfiledFromStart: false,
      spotlightUrl: undefined,
      monitor: 'rounds',
    },
    { version: '1.0.0', clock, logger: pino({ enabled: false }), redact: (text) => text },
  );
}

function work(result = 'sent'): Promise<string> {
  return sentry.trace({
    name: 'deliver to oncall',
    op: 'notification',
    run: async () => {
      const { body } = await request(hook.url(), { method: 'POST' });
      await body.dump();
      return result;
    },
    failureOf: (end) => (end === 'sent' ? undefined : 'unavailable'),
  });
}

function traceOf(payload: JsonObject): JsonObject {
  return (payload['contexts'] as { trace: JsonObject }).trace;
}

it('samples each piece of work on its own', async () => {
  start(0.5);
  // All or none of them by chance: once in 500 thousand million runs.
  for (let one = 0; one < 40; one++) await work();
  await sentry.stop(60_000);
  const { length } = server.payloads('transaction');
  expect(length).toBeGreaterThan(0);
  expect(length).toBeLessThan(40);
});

it('has a trace of its own for each piece of work, fault and check-in', async () => {
  start(1);
  for (let one = 0; one < 3; one++) {
    await work();
    sentry.report({ error: new Error(`fault ${one}`), place: 'GET /metrics', isFatal: false });
    sentry.checkIn({ durationMs: 1, failed: false, intervalMs: 5_000 });
    clock.advance(60_000);
  }
  await sentry.stop(60_000);
  const payloads = ['transaction', 'event', 'check_in'].flatMap((type) => server.payloads(type));
  expect(payloads).toHaveLength(9);
  expect(new Set(payloads.map((payload) => traceOf(payload)['trace_id'])).size).toBe(9);
});

it('gives the trace of failed work its failure', async () => {
  start(1);
  await work();
  await work('retry');
  const broken = sentry.trace({
    name: 'deliver to oncall',
    op: 'notification',
    run: () => Promise.reject(new Error('T0SECRET')),
    failureOf: () => undefined,
  });
  await expect(broken).rejects.toThrow('T0SECRET');
  await sentry.stop(60_000);
  expect(server.payloads('transaction').map((payload) => traceOf(payload)['status'])).toEqual([
    'ok',
    'unavailable',
    'internal_error',
  ]);
  expect(server.received.map(({ text }) => text).join('')).not.toContain('T0SECRET');
});

it('loses no span of a request that is part of no trace, as those to Sentry are', async () => {
  start(1);
  await work();
  sentry.checkIn({ durationMs: 1, failed: false, intervalMs: 5_000 });
  await server.until(
    () => server.payloads('check_in').length === 1 && server.payloads('transaction').length === 1,
  );
  await sentry.stop(60_000);
  expect(server.payloads('transaction')[0]?.['spans']).toHaveLength(1);
  expect(server.payloads('client_report')).toEqual([]);
});
