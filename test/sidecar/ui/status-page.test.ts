import { emptyState } from '../../../sidecar/ledger/ledger-state';
import { zeroCounts } from '../../../sidecar/sentry/own-sentry';
import type { InstanceFacts, TargetFacts } from '../../../sidecar/kong/kong-facts';
import type { ChangeNotice } from '../../../sidecar/notify/letter';
import type { DeadLetterStatus } from '../../../sidecar/outbox/dead-letter-book';
import type { Silence } from '../../../sidecar/route/silence';
import { renderStatusPage, type StatusFacts } from '../../../sidecar/ui/status-page';
import { sampleNotification } from '../../support/sample-notification';

const NO_KONG: StatusFacts['kong'] = { instances: [], observed: () => undefined };

function page(changes: Partial<StatusFacts> = {}): string {
  return renderStatusPage({
    version: '1.0.0',
    address: '127.0.0.1:9542',
    configFile: 'gatewatch.yml',
    nowMs: 60_000,
    startedMs: 0,
    whyNotReady: undefined,
    reloadFaults: [],
    ledger: emptyState(),
    seriesCap: 1_000,
    rules: [],
    evaluationIntervalMs: 15_000,
    alerts: [],
    muteReasons: new Map(),
    silences: [],
    kong: NO_KONG,
    channels: [],
    fallbacks: new Map(),
    deadLetters: [],
    hasToken: true,
    ownSentry: zeroCounts(),
    ...changes,
  });
}

/** The cells of each row of a section; nothing where there is no such section. */
function rowsOf(text: string, heading: string): string[][] {
  const section = text.split('\n\n').find((one) => one.startsWith(heading));
  const [, ...rows] = section?.trimEnd().split('\n') ?? [];
  return rows.map((row) => row.trim().split(/ {2,}/));
}

describe('the status page', () => {
  it('names every kind of channel where there is none', () => {
    expect(page()).toContain(
      'Add a channel of type slack, email, pagerduty, webhook, alertmanager or sentry under `channels` in gatewatch.yml',
    );
  });

  it('says nothing of Sentry where nothing was counted', () => {
    expect(page()).not.toContain('SENTRY');
  });

  it("tells what became of the plugin's events and transactions, and of what the sidecar tells of itself", () => {
    const ledger = emptyState();
    const statistics = {
      ...ledger.statistics,
      sentryEventsSent: 12,
      sentryEventsHeldBack: 295_000,
      sentryEventsDropped: 4,
      sentryTransactionsRateLimited: 7,
      sentryTransactionsFailed: 1,
    };
    const ownSentry = zeroCounts();
    ownSentry.check_in.sent = 3;
    ownSentry.check_in.failed = 2;
    const shown = page({ ledger: { ...ledger, statistics }, ownSentry }).split('\n\n');
    const [heading, ...rows] = shown.find((section) => section.startsWith('SENTRY'))?.split('\n') ?? [];
    expect(heading).toBe(
      'SENTRY, what was for it: of the plugin since the ledger began, of the sidecar itself since its start',
    );
    expect(rows.map((row) => row.trim().split(/ {2,}/))).toEqual([
      [
        ...["the plugin's events", '12 sent', '295,000 held back', '0 rate limited'],
        ...['0 failed', '4 dropped by a rule', '0 sampled out'],
      ],
      [
        ...["the plugin's transactions", '0 sent', '0 held back', '7 rate limited'],
        ...['1 failed', '0 dropped by a rule', '0 sampled out'],
      ],
      ["the sidecar's own check-ins", '3 sent', '0 held back', '0 rate limited', '2 failed'],
    ]);
  });

  it('tells how deliveries to each channel ended, and why the last was not made', () => {
    const counts = { sent: 1_200, retried: 9, refused: 1, expired: 2, dropped: 3, replaced: 0 };
    const channels = [
      { name: 'oncall', type: 'slack', queued: 4, counts, lastProblem: 'answered 503' },
      { name: 'tickets', type: 'webhook', queued: 0, counts, lastProblem: undefined },
    ];
    expect(rowsOf(page({ channels }), 'CHANNELS')).toEqual([
      ['oncall', 'slack', '1,200 sent', '6 not delivered', '4 waiting', 'last problem: answered 503'],
      ['tickets', 'webhook', '1,200 sent', '6 not delivered', '0 waiting'],
    ]);
    const fallbacks = new Map([['oncall', 'tickets']]);
    expect(rowsOf(page({ channels, fallbacks }), 'CHANNELS')).toEqual([
      [
        ...['oncall', 'slack', '1,200 sent', '6 not delivered', '4 waiting'],
        ...['fallback tickets', 'last problem: answered 503'],
      ],
      ['tickets', 'webhook', '1,200 sent', '6 not delivered', '0 waiting'],
    ]);
  });
});

describe('what the status page says of dead letters', () => {
  const dead = (changes: Partial<DeadLetterStatus> = {}): DeadLetterStatus => ({
    letter: sampleNotification({ channel: 'oncall', message: { id: '00000000000000aa' } }),
    how: 'refused',
    reason: 'answered 404',
    failures: 0,
    failedMs: 0,
    toldSinceMs: undefined,
    isObsolete: false,
    ...changes,
  });

  it('is what was not delivered, when, why, and whether it is old news', () => {
    const change: ChangeNotice = {
      id: '00000000000000bb',
      channel: 'pager',
      kind: 'change',
      instance: 'kong-1:8101',
      before: undefined,
      after: 'f00',
      externalLabels: {},
      atMs: 0,
      createdMs: 0,
    };
    const deadLetters = [
      dead(),
      dead({ letter: change, how: 'expired', reason: 'no answer (timeout)', toldSinceMs: 30_000 }),
      dead({ isObsolete: true }),
    ];
    expect(rowsOf(page({ deadLetters }), 'DEAD LETTERS')).toEqual([
      [
        ...['00000000000000aa', 'oncall', '1 minute ago'],
        ...['CRITICAL: High p95 latency: 812 ms on service slow', 'refused: answered 404'],
      ],
      [
        ...['00000000000000bb', 'pager', '1 minute ago'],
        'The configuration of Kong at kong-1:8101 has changed',
        'expired: no answer (timeout); the channel was told of it later',
      ],
      [
        ...['00000000000000aa', 'oncall', '1 minute ago'],
        ...['CRITICAL: High p95 latency: 812 ms on service slow', 'refused: answered 404; no longer true'],
      ],
    ]);
  });

  it('is nothing where there are none, and the number of those that have no room', () => {
    expect(page()).not.toContain('DEAD LETTERS');
    const rows = rowsOf(page({ deadLetters: Array.from({ length: 1_012 }, () => dead()) }), 'DEAD LETTERS');
    expect(rows).toHaveLength(11);
    expect(rows.at(-1)).toEqual(['and 1,002 older ones']);
  });
});

describe('what the status page says of Kong', () => {
  const instance = (changes: Partial<InstanceFacts>): InstanceFacts => ({
    instance: 'kong-1:8101',
    isReachable: true,
    configurationHash: undefined,
    problem: undefined,
    targets: [],
    ...changes,
  });
  const target = (healthy: number, unhealthy: number): TargetFacts => ({
    upstream: 'shop',
    target: 'shop:80',
    healthyAddresses: Array.from({ length: healthy }, (_, index) => `10.0.0.${index}:80`),
    unhealthyAddresses: Array.from({ length: unhealthy }, (_, index) => `10.0.1.${index}:80`),
  });

  it.each<[string, Partial<InstanceFacts>, string[]]>([
    ['before it was asked', { isReachable: undefined }, ['kong-1:8101', 'not asked yet']],
    ['while it answers', {}, ['kong-1:8101', 'answers']],
    [
      'of its targets, of which one has a healthy address or none is told of',
      { targets: [target(1, 1), target(2, 0)] },
      ['kong-1:8101', 'answers', '2 of 2 targets healthy'],
    ],
    [
      'of a target without a healthy address',
      { targets: [target(0, 2), target(1, 0)] },
      ['kong-1:8101', 'answers', '1 of 2 targets healthy'],
    ],
    [
      'while it answers in part',
      { problem: '/metrics answers 404', targets: [target(1, 0)] },
      ['kong-1:8101', 'answers', '/metrics answers 404'],
    ],
    [
      'while it is away',
      { isReachable: false, problem: '/status cannot be asked: ECONNREFUSED' },
      ['kong-1:8101', 'DOES NOT ANSWER', '/status cannot be asked: ECONNREFUSED'],
    ],
  ])('%s', (_, changes, row) => {
    const kong = { instances: [instance(changes)], observed: () => undefined };
    expect(rowsOf(page({ kong }), 'KONG')).toEqual([row]);
  });

  it('is nothing where there is none to watch', () => {
    expect(page()).not.toContain('KONG, by its status API');
  });

  it('has no line break of a name', () => {
    const kong = { instances: [instance({ instance: 'a\nb' })], observed: () => undefined };
    expect(rowsOf(page({ kong }), 'KONG')).toEqual([['a b', 'answers']]);
  });
});

describe('what the status page says of silences', () => {
  const silence = (changes: Partial<Silence> = {}): Silence => ({
    id: '00000000000000aa',
    matchers: [
      { label: 'service', operator: '=', value: 'shop' },
      { label: 'severity', operator: '!~', value: 'critical|error' },
    ],
    startsMs: 0,
    endsMs: 60_000 + 90 * 60_000,
    createdBy: 'ada',
    comment: 'the move',
    createdMs: 0,
    ...changes,
  });

  it('is what each silences, for how long, who did it and why', () => {
    expect(rowsOf(page({ silences: [silence()] }), 'SILENCES')).toEqual([
      [
        '00000000000000aa',
        'service="shop" severity!~"critical|error"',
        'for 1 hour 30 minutes',
        'by ada: the move',
      ],
    ]);
  });

  it('is nothing of those that have ended or not begun', () => {
    const silences = [silence({ endsMs: 60_000 }), silence({ startsMs: 60_001 })];
    expect(page({ silences })).not.toContain('SILENCES');
    expect(page({ silences: [...silences, silence({ startsMs: 60_000, endsMs: 60_001 })] })).toContain(
      'SILENCES',
    );
  });
});
