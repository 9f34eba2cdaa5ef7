// The SDK as the sidecar sets it up, in this process, with a strict Sentry on 127.0.0.1.
import pino from 'pino';
import { systemClock } from '../../../sidecar/clock';
import { Secret } from '../../../sidecar/config/secret';
import type { OwnSentry } from '../../../sidecar/sentry/own-sentry';
import { startSdk } from '../../../sidecar/sentry/sdk-sentry';
import { EnvelopeServer } from '../../support/envelope-server';

let server: EnvelopeServer;
let sentry: OwnSentry;

beforeEach(async () => {
  server = await EnvelopeServer.start();
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
      evaluationIntervalMs: 5_000,
      clock: systemClock,
      logger: pino({ enabled: false }),
      redact: (text) => text,
    },
  );
});
afterEach(async () => {
  await sentry.stop(1_000);
  await server.close();
  expect(server.faults).toEqual([]);
});

it('reports an error each time that it comes, and as the last one of the process too', async () => {
  const error = new Error('the ledger is gone');
  sentry.report({ error, place: 'POST /v1/batches', isFatal: false });
  sentry.report({ error, place: 'POST /v1/batches', isFatal: false });
  sentry.report({ error, place: 'the process', isFatal: true });
  await server.until(() => server.payloads('event').length === 3);
  await sentry.stop(1_000);
  expect(server.payloads('event').map(({ level }) => level)).toEqual(['error', 'error', 'fatal']);
  expect(sentry.counts.event).toEqual({ sent: 3, held_back: 0, rate_limited: 0, failed: 0 });
});
