// A reporter in a process whose steady clock is behind the system's, as after a night in which the host was suspended.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { observe } from '../../../kong-plugin/observation';
import { readSentrySettings } from '../../../kong-plugin/sentry/settings/read-sentry-settings';
import { SentryReporter } from '../../../kong-plugin/sentry/sentry-reporter';
import { EnvelopeServer, type JsonObject } from '../../support/envelope-server';

const LOG = resolve(__dirname, '../../fixtures/kong/logs/504-timeout.json');
const NIGHT_MS = 8 * 3_600_000;

let sentry: EnvelopeServer;
beforeEach(async () => (sentry = await EnvelopeServer.start()));
afterEach(async () => {
  jest.restoreAllMocks();
  await sentry.close();
});

it('tells the true times of a request and of what was held back, also after the host was suspended', async () => {
  const settings = readSentrySettings(
    { dsn: sentry.dsn(), governor: { issue_burst: 1, issue_events_per_minute: 6_000 } },
    '0.0.0',
    {},
  );
  if (!settings) throw new Error('it has a DSN');
  const reporter = new SentryReporter(
    settings,
    () => undefined,
    () => undefined,
  );
  const systemNow = Date.now;
  jest.spyOn(Date, 'now').mockImplementation(() => systemNow() + NIGHT_MS);
  const beganMs = Date.now();
  const log = { ...(JSON.parse(readFileSync(LOG, 'utf8')) as JsonObject), started_at: beganMs - 607 };
  const text = JSON.stringify(log);
  const take = (): void => reporter.take(text, observe(text));
  const events = (): JsonObject[] => sentry.payloads('event');
  const isTelling = ({ contexts }: JsonObject): boolean => 'held_back' in (contexts as JsonObject);
  while (!events().some(isTelling)) {
    take();
    await new Promise(setImmediate);
  }
  await reporter.close();

  expect(events()[0]?.['timestamp']).toBe(beganMs / 1_000);
  const { held_back: heldBack } = events().find(isTelling)?.['contexts'] as { held_back: { since: string } };
  expect(Math.abs(Date.parse(heldBack.since) - beganMs)).toBeLessThan(10_000);
  const [transaction] = sentry.payloads('transaction');
  expect(transaction?.['start_timestamp']).toBe((beganMs - 607) / 1_000);
});
