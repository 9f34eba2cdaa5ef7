// The SDK as the sidecar sets it up, in this process, with a strict Sentry on 127.0.0.1.
import '../../support/forget-channels';
import pino from 'pino';
import { request } from 'undici';
import { Secret } from '../../../sidecar/config/secret';
import type { OwnSentry } from '../../../sidecar/sentry/own-sentry';
import { startSdk } from '../../../sidecar/sentry/sdk-sentry';
import { EnvelopeServer } from '../../support/envelope-server';
import { ManualClock } from '../../support/manual-clock';
import { WebhookReceiver } from '../../support/webhook-receiver';

let server: EnvelopeServer;
let sentry: OwnSentry;
let clock: ManualClock;

beforeEach(async () => {
  server = await EnvelopeServer.start();
  clock = new ManualClock();
  sentry = startSdk(
    {
      dsn: new Secret(server.dsn()),
      environment: 'test',
      release: undefined,
      tracesSampleRate: 0,
      profileSessionSampleRate: 0,
      isProfiledFromStart: false,
      spotlightUrl: undefined,
      monitor: 'rounds',
    },
    {
      version: '1.0.0',
      clock,
      logger: pino({ enabled: false }),
      redact: (text) => text,
    },
  );
});
afterEach(async () => {
  await sentry.stop(60_000);
  await server.close();
  expect(server.faults).toEqual([]);
});

it('reports an error each time that it comes, and as the last one of the process too', async () => {
  const error = new Error('the ledger is gone');
  sentry.report({ error, place: 'POST /v1/batches', isFatal: false });
  sentry.report({ error, place: 'POST /v1/batches', isFatal: false });
  sentry.report({ error, place: 'the process', isFatal: true });
  await server.until(() => server.payloads('event').length === 3);
  await sentry.stop(60_000);
  expect(server.payloads('event').map(({ level }) => level)).toEqual(['error', 'error', 'fatal']);
  expect(sentry.counts.event).toEqual({ sent: 3, held_back: 0, rate_limited: 0, failed: 0 });
});

it('tells the monitor how often rounds come now, also where a reload has changed it', async () => {
  const round = { durationMs: 1, failed: false };
  sentry.checkIn({ ...round, intervalMs: 5_000 });
  clock.advance(5 * 60_000);
  sentry.checkIn({ ...round, intervalMs: 5 * 60_000 });
  await sentry.stop(60_000);
  expect(server.payloads('check_in')).toMatchObject([
    { monitor_config: { schedule: { value: 1, unit: 'minute' } } },
    { monitor_config: { schedule: { value: 5, unit: 'minute' } } },
  ]);
});

it('has the last outgoing requests with a fault also where nothing is traced', async () => {
  const hook = await WebhookReceiver.start();
  try {
    const run = async (): Promise<void> => (await request(hook.url(), { method: 'POST' })).body.dump();
    await sentry.trace({ name: 'deliver to oncall', op: 'notification', run, failureOf: () => undefined });
    sentry.report({ error: new Error('a fault'), place: 'GET /metrics', isFatal: false });
    await sentry.stop(60_000);
    expect(server.payloads('event')).toMatchObject([{ breadcrumbs: [{ message: 'deliver to oncall' }] }]);
    expect(server.payloads('transaction')).toEqual([]);
  } finally {
    await hook.close();
  }
});
