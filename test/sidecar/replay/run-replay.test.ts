import { rmSync } from 'node:fs';
import fc from 'fast-check';
import type { Delta } from '../../../kong-plugin/contract/delta';
import type { AlertChange } from '../../../sidecar/alert/alert-change';
import type { Config } from '../../../sidecar/config/config';
import { Engine } from '../../../sidecar/engine';
import { engineSettingsOf } from '../../../sidecar/engine-settings';
import { placeIntervals } from '../../../sidecar/ingest/place-intervals';
import { PastFault, type Past, type PastEvent } from '../../../sidecar/replay/past';
import { renderReplay } from '../../../sidecar/replay/render-replay';
import { openRecording } from '../../../sidecar/replay/recorded-batches';
import { ANY_CHANNEL, runReplay, type ReplaySettings } from '../../../sidecar/replay/run-replay';
import type { Message } from '../../../sidecar/route/message';
import { deliveryOf } from '../../../sidecar/window/coverage';
import { deltaOf } from '../../support/batches';
import { configOf } from '../../support/read-config-text';
import { record, storyBatch, temporaryFolder, type StoryBatch } from '../../support/recorded-story';

const NOON = Date.parse('2026-11-28T12:00:00Z');
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

const CHANNELS = `
channels:
  - { name: oncall, type: webhook, url: 'http://127.0.0.1:1' }
  - { name: phone, type: webhook, url: 'http://127.0.0.1:1' }
`;
const ERRORS = `
rules:
  - { name: errors, error_rate_threshold: { warning: 0.02, critical: 0.1 }, window: 1m, for: 30s, keep_firing_for: 0s }
  - { name: slow, p95_latency_ms: 500, window: 1m, for: 30s, keep_firing_for: 0s }
`;

function settingsOf(text: string): ReplaySettings {
  const config: Config = configOf(text);
  const { rules, policy, channels, standing } = engineSettingsOf(config);
  const alertmanagers = standing.map(({ name }) => name);
  return { rules, policy, channels, alertmanagers, intervalMs: config.evaluationIntervalMs };
}

function pastOf(events: readonly PastEvent[]): Past {
  return {
    // eslint-disable-next-line @typescript-eslint/require-await
    async *events() {
      yield* events;
    },
    progress: () => 1,
    unseen: () => ['What the past says itself.'],
  };
}

const FAILED = {
  status: 502,
  errorType: 'upstream_unreachable',
  severity: 'error',
  source: 'upstream',
} as const;

/** What happened in one second: so many requests of each service, of which some failed. */
function second(failed: number, service = 'orders', requests = 20): Delta[] {
  const good = Array.from({ length: requests - failed }, () => 20);
  const bad = Array.from({ length: failed }, () => 20);
  return [
    ...(good.length > 0 ? [deltaOf({ service }, good)] : []),
    ...(bad.length > 0 ? [deltaOf({ ...FAILED, service }, bad)] : []),
  ];
}

/** A batch a second; `failedAt` of each second of the story. */
function story(seconds: number, deltasAt: (at: number) => readonly Delta[]): StoryBatch[] {
  return Array.from({ length: seconds }, (_, at) => storyBatch(NOON + at * SECOND_MS, at + 1, deltasAt(at)));
}

function eventsOf(batches: readonly StoryBatch[]): PastEvent[] {
  return batches.map(({ receivedMs, sentAtMs, batch }) => ({
    knownMs: receivedMs,
    placed: placeIntervals(batch.intervals, sentAtMs, receivedMs),
    delivery: deliveryOf(batch, sentAtMs, receivedMs),
  }));
}

const incident = story(15 * 60, (at) => second(at >= 300 && at < 600 ? 5 : 0));

describe('a replay with an Alertmanager', () => {
  const CLUSTER = "  - { name: cluster, type: alertmanager, urls: ['http://127.0.0.1:9093'] }\n";

  it('says how many alerts it would have been told of, and not that nobody was', async () => {
    const report = await runReplay(pastOf(eventsOf(incident)), settingsOf(`${ERRORS}channels:\n${CLUSTER}`));
    expect(report.alertmanagers).toEqual([{ channel: 'cluster', alerts: 1 }]);
    expect(report.runs).toMatchObject([{ rule: 'errors', pages: 0, suppressedBy: [] }]);
    expect(report.rules[0]).toMatchObject({ fired: 1, untold: 0, pages: [] });
    const text = renderReplay(report);
    expect(text).toContain(
      'cluster is an Alertmanager: it would have been told of 1 alert, and decides itself who hears of them.',
    );
    expect(text).not.toMatch(/nobody was told|no channel/);
  });

  it('counts the pages of the others as without it', async () => {
    const alone = await runReplay(pastOf(eventsOf(incident)), settingsOf(ERRORS + CHANNELS));
    const both = await runReplay(pastOf(eventsOf(incident)), settingsOf(ERRORS + CHANNELS + CLUSTER));
    expect(both.channels).toEqual(alone.channels);
    expect(both.alertmanagers).toEqual([{ channel: 'cluster', alerts: 1 }]);
  });

  it('does not tell it of what is in maintenance', async () => {
    const maintenance =
      'notifications: { maintenance: [{ name: m, matchers: [service=orders], from: "00:00", to: "00:00", ' +
      'until: 2030-01-01, comment: c }] }\n';
    const report = await runReplay(
      pastOf(eventsOf(incident)),
      settingsOf(`${ERRORS}${maintenance}channels:\n${CLUSTER}`),
    );
    expect(report.alertmanagers).toEqual([{ channel: 'cluster', alerts: 0 }]);
    expect(report.runs).toMatchObject([{ suppressedBy: ['maintenance'] }]);
  });
});

describe('a replay', () => {
  it('finds an incident at its minute, and says who would have been told how often', async () => {
    const report = await runReplay(pastOf(eventsOf(incident)), settingsOf(ERRORS + CHANNELS));
    expect(report).toMatchObject({
      fromMs: NOON,
      toMs: NOON + 899 * SECOND_MS,
      rounds: 179,
      requests: 900 * 20,
    });
    expect(report.runs).toHaveLength(1);
    const [run] = report.runs;
    expect(run).toMatchObject({
      rule: 'errors',
      scope: { level: 'service', service: 'orders' },
      severity: 'critical',
    });
    // 30 s after the share has passed the threshold for a minute, and over by a window after the end.
    expect((run?.firedMs ?? 0) - NOON).toBeGreaterThanOrEqual(300 * SECOND_MS);
    expect((run?.firedMs ?? 0) - NOON).toBeLessThanOrEqual(345 * SECOND_MS);
    expect((run?.resolvedMs ?? 0) - NOON).toBeGreaterThan(600 * SECOND_MS);
    expect((run?.resolvedMs ?? 0) - NOON).toBeLessThanOrEqual(670 * SECOND_MS);
    const [errors, slow] = report.rules;
    expect(errors).toMatchObject({
      rule: 'errors',
      fired: 1,
      worsened: 1,
      resolved: 1,
      untold: 0,
      pages: [
        { channel: 'oncall', bySeverity: { warning: 1, critical: 1 } },
        { channel: 'phone', bySeverity: { warning: 1, critical: 1 } },
      ],
    });
    expect(slow).toMatchObject({ rule: 'slow', fired: 0, pages: [] });
    expect(report.channels).toEqual([
      { channel: 'oncall', pages: { warning: 1, critical: 1 }, otherMessages: 1 },
      { channel: 'phone', pages: { warning: 1, critical: 1 }, otherMessages: 1 },
    ]);
  });

  it('says what it could not see, the rules about Kong among it', async () => {
    const kong = '  - { name: kong, kong_unreachable: true }\n  - { name: long, slo_objective: 0.999 }\n';
    const { rules, unseen } = await runReplay(
      pastOf(eventsOf(incident)),
      settingsOf(ERRORS + kong + CHANNELS),
    );
    expect(rules.map(({ isJudged }) => isJudged)).toEqual([true, true, false, true]);
    expect(unseen).toEqual([
      'Rules about Kong were not judged, since nobody wrote down how Kong was: kong.',
      'Nothing is known of the time before the first moment, and rules look back up to 3d: long sees less at the beginning ' +
        'than the sidecar did.',
      'Nobody acknowledged or silenced anything, so alerts escalate and repeat to the end.',
      'What the past says itself.',
    ]);
  });

  it('tells what anybody would be sent where there is no channel', async () => {
    const { rules, unseen } = await runReplay(pastOf(eventsOf(incident)), settingsOf(ERRORS));
    expect(rules[0]?.pages).toEqual([{ channel: ANY_CHANNEL, bySeverity: { warning: 1, critical: 1 } }]);
    expect(unseen).toContain('There are no channels: what anybody would be sent is told of (no channel).');
  });

  it.each([
    [
      'inhibition',
      'notifications: { inhibit: [{ source: [\'rule="errors"\'], target: [\'rule="again"\'] }] }\n',
      'again',
    ],
    [
      'maintenance',
      'notifications: { maintenance: [{ name: m, matchers: [\'rule="again"\'], from: "00:00", to: "23:59", until: 2027-01-01, comment: c }] }\n',
      'again',
    ],
    [
      'quiet_hours',
      'notifications: { quiet_hours: { severities: [info], from: "11:00", to: "13:00" } }\n',
      'again',
    ],
    ['digest', 'notifications: { digest: { severities: [info], every: 1h } }\n', 'again'],
    ['grouping', 'notifications: { group_by: [rule], group_wait: 30m }\n', 'again'],
    [
      'no_channel',
      'notifications: { escalation: [{ after: 0s, channels: [oncall], severities: [critical] }] }\n',
      'again',
    ],
  ])('says that nobody was told of an alert, because of %s', async (reason, notifications, rule) => {
    const again =
      '  - { name: again, error_rate_threshold: { info: 0.02 }, window: 1m, for: 30s, keep_firing_for: 0s }\n';
    const report = await runReplay(
      pastOf(eventsOf(incident)),
      settingsOf(ERRORS + again + notifications + CHANNELS),
    );
    expect(report.runs.find((run) => run.rule === rule)).toMatchObject({ pages: 0, suppressedBy: [reason] });
    expect(report.rules.find((counted) => counted.rule === rule)).toMatchObject({
      fired: 1,
      untold: 1,
      pages: [],
    });
  });

  it('has an alert that fires at the end last until then', async () => {
    const report = await runReplay(
      pastOf(eventsOf(story(600, (at) => second(at >= 300 ? 5 : 0)))),
      settingsOf(ERRORS + CHANNELS),
    );
    const [run] = report.runs;
    expect(run).toMatchObject({ resolvedMs: undefined, endReason: undefined });
    expect(report.rules[0]?.firingMs).toBe(report.toMs - (run?.firedMs ?? 0));
  });

  it('cannot tell in a gap that nobody fills, and misses no traffic there', async () => {
    const absence =
      'rules: [{ name: silence, traffic_absence: true, window: 2m, baseline: 10m, minimum_requests: 10, for: 0s }]\n';
    const before = eventsOf(story(900, () => second(0)));
    const fromMs = NOON + 899 * SECOND_MS;
    const toMs = fromMs + 10 * MINUTE_MS;
    const heartbeats = Array.from({ length: 60 }, (_, index): PastEvent => {
      const delivery = { producer: 'producer-1', beforeMs: undefined, isHeartbeat: true };
      return { knownMs: fromMs + (index + 1) * 10 * SECOND_MS, placed: [], delivery };
    });
    const quiet = await runReplay(pastOf([...before, ...heartbeats]), settingsOf(absence));
    expect(quiet.rules[0]?.fired).toBe(1);
    const after: PastEvent = { knownMs: toMs, placed: [] };
    const silent = await runReplay(pastOf([...before, after]), settingsOf(absence));
    expect(silent.rules[0]?.fired).toBe(0);
    const gaps = Array.from({ length: 600 }, (_, index): PastEvent => {
      const knownMs = fromMs + (index + 1) * SECOND_MS;
      return { knownMs, placed: [], delivered: 'p', gap: { fromMs, toMs: knownMs, producers: ['p'] } };
    });
    const unknown = await runReplay(pastOf([...before, ...gaps]), settingsOf(absence));
    expect(unknown.rules[0]?.fired).toBe(0);
  });

  it('refuses a past without anything', async () => {
    await expect(runReplay(pastOf([]), settingsOf(ERRORS))).rejects.toThrow(PastFault);
  });
});

describe('a replay of recorded batches', () => {
  /** What an engine says that lives through it: batches as they come, a round every interval. */
  function live(
    batches: readonly StoryBatch[],
    { rules, policy, channels, intervalMs }: ReplaySettings,
  ): { changes: AlertChange[]; messages: Message[] } {
    const firstMs = batches[0]?.receivedMs ?? 0;
    const lastMs = batches.at(-1)?.receivedMs ?? 0;
    const engine = new Engine({ rules, policy, channels, standing: [], hasKong: false }, firstMs);
    const changes: AlertChange[] = [];
    const messages: Message[] = [];
    const waiting = [...batches];
    for (let ms = firstMs; ms <= lastMs; ms += SECOND_MS / 10) {
      while (waiting[0] !== undefined && waiting[0].receivedMs <= ms) {
        const { batch, sentAtMs, receivedMs } = waiting.shift() as StoryBatch;
        for (const { atMs, deltas } of placeIntervals(batch.intervals, sentAtMs, receivedMs))
          engine.windows.add(atMs, deltas, receivedMs);
        engine.windows.known.received(deliveryOf(batch, sentAtMs, receivedMs), receivedMs);
      }
      if (ms === firstMs || (ms - firstMs) % intervalMs !== 0) continue;
      const round = engine.round(ms, 0);
      changes.push(...round.changes);
      messages.push(...round.messages);
    }
    return { changes, messages };
  }

  const arbitraryStory = fc
    .array(
      fc.record({
        seconds: fc.integer({ min: 5, max: 90 }),
        failed: fc.constantFrom(0, 0, 1, 3, 20),
        service: fc.constantFrom('orders', 'users'),
        lateMs: fc.constantFrom(0, 0, 700, 40_000),
      }),
      { minLength: 3, maxLength: 12 },
    )
    .map((parts) => {
      let at = 0;
      let sequence = 0;
      return parts
        .flatMap(({ seconds, failed, service, lateMs }) =>
          Array.from({ length: seconds }, (): StoryBatch => {
            const happened = storyBatch(NOON + at++ * SECOND_MS, ++sequence, second(failed, service));
            return {
              ...happened,
              receivedMs: happened.receivedMs + lateMs,
              sentAtMs: happened.sentAtMs + lateMs,
            };
          }),
        )
        .sort((a, b) => a.receivedMs - b.receivedMs);
    });

  it('says what a live engine said that took in the same batches at the same times', async () => {
    const settings = settingsOf(`${ERRORS}notifications: { group_interval: 10s }\n${CHANNELS}`);
    let fired = 0;
    await fc.assert(
      fc.asyncProperty(arbitraryStory, async (batches) => {
        const folder = temporaryFolder();
        try {
          await record(folder, batches);
          const report = await runReplay(
            await openRecording(folder, { startMs: undefined, endMs: undefined }),
            settings,
          );
          const { changes, messages } = live(batches, settings);
          const of = (kind: AlertChange['kind']): AlertChange[] =>
            changes.filter((change) => change.kind === kind);
          fired += of('fired').length;
          expect(report.runs.map(({ rule, scope, firedMs }) => ({ rule, scope, firedMs }))).toEqual(
            of('fired').map(({ alert, atMs }) => ({
              rule: alert.rule.name,
              scope: alert.scope,
              firedMs: atMs,
            })),
          );
          expect(report.rules.reduce((sum, { resolved }) => sum + resolved, 0)).toBe(of('resolved').length);
          for (const { channel, pages, otherMessages } of report.channels) {
            const sent = messages.filter((message) => message.channel === channel);
            const isPage = ({ items }: Message): boolean =>
              items.some(({ occasion }) => ['fired', 'worsened', 'escalated'].includes(occasion));
            expect(Object.values(pages).reduce((sum, count) => sum + count, 0)).toBe(
              sent.filter(isPage).length,
            );
            expect(otherMessages).toBe(sent.filter((message) => !isPage(message)).length);
          }
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      }),
      { numRuns: 15, seed: 5 },
    );
    expect(fired).toBeGreaterThan(10);
  });
});
