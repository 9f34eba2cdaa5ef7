// A Sentry that fails in every way while errors come: each error ends in exactly one outcome, and what was taken was sent.
// GATEWATCH_SENTRY_ERRORS and GATEWATCH_FAULT_SEED make a longer or another run.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SENTRY_STATISTICS, type SentryStatistic } from '../../kong-plugin/contract/sentry-statistics';
import { SENTRY_OUTCOMES, type SentryOutcome } from '../../kong-plugin/sentry/sentry-outcome';
import { EnvelopeServer, type EnvelopeScript } from '../support/envelope-server';
import { HOST_SERVER } from '../support/plugin-servers';
import { ScriptedSidecar } from '../support/scripted-sidecar';
import { seededRandom } from '../support/seeded-random';
import { SpokenPluginServer } from '../support/spoken-plugin-server';

const ERRORS = Number(process.env['GATEWATCH_SENTRY_ERRORS'] ?? 2_000);
/** More of them come until each outcome has been seen: on a slow machine few are held back, on a fast one few are let go. */
const MOST_ERRORS = 6 * ERRORS;
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);
const LOGS = resolve(__dirname, '../fixtures/kong/logs');
const NAMES = ['500', '502-refused', '504-timeout', 'no-healthy-target', '404-kong', '429-rate-limited'];

/** How Sentry answers, and how often of all. */
const FAULTS: readonly (readonly [share: number, script: EnvelopeScript])[] = [
  [0.1, { status: 503 }],
  [0.1, 'drop'],
  [0.05, { status: 413 }],
  [0.05, { status: 429, headers: { 'x-sentry-rate-limits': '1:error:organization' } }],
  [0.02, { status: 429, headers: { 'retry-after': '1' } }],
  [0.02, { status: 200, headers: { 'x-sentry-rate-limits': '1:transaction;default:organization' } }],
];

jest.setTimeout(900_000);

it(`gives each of ${ERRORS} errors one outcome while Sentry fails (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const directory = mkdtempSync(join(tmpdir(), 'gatewatch-sentry-faults-'));
  const [sidecar, sentry] = await Promise.all([ScriptedSidecar.start(), EnvelopeServer.start()]);
  const logs = NAMES.map((name) => readFileSync(join(LOGS, `${name}.json`), 'utf8'));
  const server = await SpokenPluginServer.start({
    program: HOST_SERVER,
    directory,
    config: {
      sidecar_url: sidecar.url,
      sentry: {
        dsn: sentry.dsn(),
        governor: {
          issue_burst: 50,
          // Of five kinds of errors, 100 a second are let go, however fast they come.
          issue_events_per_minute: 1_200,
          total_burst: 200,
          total_events_per_minute: 60_000,
        },
        traces_sample_rates: { production: 0.5 },
        sample_rate: 0.9,
        before_send: [{ error_type: 'rate_limited', drop: true }],
      },
    },
  });
  try {
    const count = (names: Readonly<Record<SentryOutcome, SentryStatistic>>): Record<SentryOutcome, number> =>
      Object.fromEntries(
        SENTRY_OUTCOMES.map((outcome) => [
          outcome,
          sidecar.taken.reduce((sum, { statistics }) => sum + statistics[names[outcome]], 0),
        ]),
      ) as Record<SentryOutcome, number>;
    const isOneMissing = (): boolean => Object.values(count(SENTRY_STATISTICS.error)).includes(0);
    let logged = 0;
    while (logged < ERRORS || (isOneMissing() && logged < MOST_ERRORS)) {
      sentry.answer(...Array.from({ length: 3 }, () => chosen(random())));
      await server.logEvents(10, () => logs[Math.floor(random() * logs.length)] ?? '');
      logged += 10;
    }
    await server.end();
    const events = count(SENTRY_STATISTICS.error);
    const transactions = count(SENTRY_STATISTICS.transaction);
    expect(Object.values(events).reduce((sum, value) => sum + value, 0)).toBe(logged);
    const taken = (type: string): number => new Set(sentry.payloads(type).map(({ event_id: id }) => id)).size;
    expect({ events: taken('event'), transactions: taken('transaction') }).toEqual({
      events: events.sent,
      transactions: transactions.sent,
    });
    for (const outcome of SENTRY_OUTCOMES)
      expect({ outcome, count: events[outcome] }).not.toEqual({ outcome, count: 0 });
    expect(sentry.faults).toEqual([]);
  } finally {
    await server.end('SIGKILL');
    await Promise.all([sidecar.close(), sentry.close()]);
    rmSync(directory, { recursive: true, force: true });
  }
});

function chosen(random: number): EnvelopeScript {
  let above = 0;
  return FAULTS.find(([share]) => (above += share) > random)?.[1] ?? { status: 200 };
}
