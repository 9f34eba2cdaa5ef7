// The law of restarts: whatever comes in and whatever people do, channels are told the very same messages whether the sidecar runs
// through or is stopped, killed and started again at any of its rounds, where its producers then deliver what happened meanwhile.
import fc from 'fast-check';
import type { Delta } from '../../kong-plugin/contract/delta';
import { isActive, type Alert } from '../../sidecar/alert/alert';
import { alertId, alertKey } from '../../sidecar/alert/alert-key';
import type { Config } from '../../sidecar/config/config';
import type { Rule } from '../../sidecar/config/rule';
import type { AlertEvent } from '../../sidecar/memory/alert-event';
import type { Notification } from '../../sidecar/notify/notification';
import { AlertingRun, WRITTEN_AFTER_MS } from '../support/alerting-run';
import { many } from '../support/engine-run';
import { configOf } from '../support/read-config-text';
import { sampleDelta, sampleErrors } from '../support/sample-delta';
import {
  apdexRule,
  burnRateRule,
  errorRateRule,
  latencyRule,
  trafficAbsenceRule,
  trafficDropRule,
} from '../support/sample-rules';

/** More of them: GATEWATCH_RESTART_RUNS. */
const RUNS = Number(process.env.GATEWATCH_RESTART_RUNS ?? 6);
const STEP_MS = 5_000;
const SECOND_MS = 1_000;

jest.setTimeout(180_000 + RUNS * 60_000);

const RULES: readonly Rule[] = [
  errorRateRule({
    thresholds: [
      { severity: 'warning', value: 0.05 },
      { severity: 'critical', value: 0.4 },
    ],
    resolveAt: 0.02,
    windowMs: 30 * SECOND_MS,
    forMs: 10 * SECOND_MS,
    keepFiringForMs: 10 * SECOND_MS,
    confidence: 0.95,
  }),
  latencyRule({ each: 'operation', windowMs: 20 * SECOND_MS, confidence: 0.9 }),
  apdexRule({ each: 'gateway', windowMs: 20 * SECOND_MS, forMs: 5 * SECOND_MS }),
  errorRateRule({ name: 'types', each: 'error_type', windowMs: 20 * SECOND_MS }),
  trafficAbsenceRule({ windowMs: 15 * SECOND_MS, baselineMs: 60 * SECOND_MS, minimumRequests: 5 }),
  trafficDropRule({ windowMs: 20 * SECOND_MS, baselineMs: 60 * SECOND_MS, confidence: 0.95 }),
  burnRateRule({
    objective: 0.9,
    latencyMs: 300,
    windows: [
      { severity: 'critical', longMs: 120 * SECOND_MS, shortMs: 20 * SECOND_MS, factor: 3 },
      // Told in minutes.
      { severity: 'warning', longMs: 7_200 * SECOND_MS, shortMs: 60 * SECOND_MS, factor: 0.1 },
    ],
  }),
];

const POLICIES: Readonly<Record<string, string>> = {
  'everything at once': 'group_interval: 0s',
  'groups that wait, repeats and steps': [
    'group_by: [service]',
    'group_wait: 5s',
    'group_interval: 10s',
    'repeat_interval: 1m',
    'escalation: [{ after: 0s, channels: [slack] }, { after: 40s, channels: [phone], severities: [critical] }]',
  ].join('\n  '),
  'a digest': ['group_by: []', 'digest: { severities: [info, warning], every: 1m }'].join('\n  '),
};

function configWith(policy: string): Config {
  const config = configOf(
    [
      'channels:',
      '  - { name: slack, type: webhook, url: "http://127.0.0.1:1/" }',
      '  - { name: phone, type: webhook, url: "http://127.0.0.1:1/" }',
      'notifications:',
      `  ${policy}`,
    ].join('\n'),
  );
  return { ...config, rules: RULES };
}

const of = (service: string): Record<string, readonly Delta[]> => {
  const fine = many(sampleDelta({ service, operation: 'GET cart' }, [20]), 8);
  const slow = many(sampleDelta({ service, operation: 'POST order' }, [900]), 3);
  const failed = many(sampleErrors(service, [20]), 5);
  return {
    nothing: [],
    fine: [fine],
    'a little': [sampleDelta({ service }, [20])],
    'one failure': [fine, sampleErrors(service, [20])],
    slow: [fine, slow],
    failing: [failed],
    'failing in part': [fine, fine, failed],
    'failing slowly': [many(sampleErrors(service, [900]), 4), slow],
  };
};

const TRAFFIC = { shop: of('shop'), pay: of('pay') };

/** Some of the same, then something else: long enough to fire, to resolve, and to flap. */
const story = fc
  .array(
    fc.tuple(
      fc.constantFrom(...Object.keys(TRAFFIC.shop)),
      fc.constantFrom(...Object.keys(TRAFFIC.pay)),
      fc.integer({ min: 1, max: 14 }),
    ),
    { minLength: 4, maxLength: 12 },
  )
  .map((pieces) =>
    pieces.flatMap(([shop, pay, steps]) =>
      Array.from({ length: steps }, () => [...(TRAFFIC.shop[shop] ?? []), ...(TRAFFIC.pay[pay] ?? [])]),
    ),
  );

interface Restart {
  readonly how: 'stop' | 'kill';
  readonly downMs: number;
}

/** By what part of the story has passed. */
const at = fc.double({ min: 0, max: 0.999, noNaN: true });

const restarts = fc.array(
  fc.tuple(
    at,
    fc.record({
      how: fc.constantFrom('stop' as const, 'kill' as const),
      downMs: fc.nat(STEP_MS - WRITTEN_AFTER_MS),
    }),
  ),
  { minLength: 1, maxLength: 6 },
);

/** What people do: acknowledge one of the alerts that fire, silence a service for a while, end a silence. */
const deeds = fc.array(
  fc.tuple(
    at,
    fc.oneof(
      fc.record({ kind: fc.constant('acknowledge' as const), which: fc.nat(5) }),
      fc.record({ kind: fc.constant('silence' as const), seconds: fc.integer({ min: 1, max: 90 }) }),
      fc.record({ kind: fc.constant('expire' as const) }),
    ),
  ),
  { maxLength: 4 },
);

type Deed =
  { kind: 'acknowledge'; which: number } | { kind: 'silence'; seconds: number } | { kind: 'expire' };

/** Not before the first round: what is killed until then has never been. */
function byStep<Value>(places: readonly (readonly [number, Value])[], steps: number): Map<number, Value> {
  return new Map(places.map(([share, value]) => [Math.max(1, Math.floor(share * steps)), value]));
}

async function live(
  config: Config,
  traffic: readonly (readonly Delta[])[],
  deedAt: ReadonlyMap<number, Deed>,
  restartAt: ReadonlyMap<number, Restart>,
): Promise<unknown> {
  const run = new AlertingRun(config);
  try {
    for (const [step, deltas] of traffic.entries()) {
      const restart = restartAt.get(step);
      if (restart) {
        await run[restart.how]();
        run.start({ downMs: restart.downMs });
        await run.settled();
      }
      await run.clock.advanceAndSettle(STEP_MS - WRITTEN_AFTER_MS - (restart?.downMs ?? 0));
      run.deliver(deltas);
      run.windows.known.delivered('producer-1');
      await run.round();
      const deed = deedAt.get(step);
      if (deed) await doIt(run, deed);
      await run.written();
    }
    expect(run.faults).toEqual([]);
    const { events } = run.alerting.events({ limit: 10_000 });
    return {
      told: [...run.channels].map(([name, { tries }]) => [name, inOneOrder(tries)]).sort(),
      alerts: [...run.alerting.alerts()].filter(({ sinceMs }) => sinceMs !== undefined).sort(byKey),
      events: eventsInOneOrder(events),
    };
  } finally {
    await run.end();
  }
}

async function doIt(run: AlertingRun, deed: Deed): Promise<void> {
  if (deed.kind === 'acknowledge') {
    const ids = run.alerting
      .alerts()
      .filter(isActive)
      .sort(byKey)
      .map((alert) => alertId(alertKey(alert.rule.name, alert.scope)));
    const id = ids[deed.which % ids.length];
    if (id !== undefined) await run.alerting.acknowledge(id, 'ada', '');
  } else if (deed.kind === 'silence') {
    await run.alerting.silence({
      matchers: [{ label: 'service', operator: '=', value: 'shop' }],
      startsMs: undefined,
      endsMs: run.clock.nowMs() + deed.seconds * SECOND_MS,
      createdBy: 'ada',
      comment: 'a test',
    });
  } else {
    for (const { id } of run.alerting.silences) await run.alerting.expire(id, 'ada');
  }
  await run.settled();
}

function byKey(a: Alert, b: Alert): number {
  return alertKey(a.rule.name, a.scope) < alertKey(b.rule.name, b.scope) ? -1 : 1;
}

/** Alerts of one round come in any order, but the same one's in theirs; a message's id says which it is in all. */
function inOneOrder(notifications: readonly Notification[]): unknown[] {
  return sorted(notifications, ({ createdMs, groupKey }) => `${createdMs} ${groupKey}`).map(
    (notification) => ({
      ...notification,
      id: '',
      items: sorted(notification.items, (item) => item.alertKey),
    }),
  );
}

/** Their numbers only rise, and silences are told apart by chance. */
function eventsInOneOrder(events: readonly AlertEvent[]): unknown[] {
  return sorted(events, (event) =>
    [event.atMs, 'alertId' in event ? event.alertId : '', 'channel' in event ? event.channel : ''].join(' '),
  ).map((event) => ({ ...event, sequence: 0, silenceId: '', messageId: '' }));
}

function sorted<Value>(values: readonly Value[], keyOf: (value: Value) => string): Value[] {
  return [...values].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
}

let pages = 0;
let resolves = 0;

afterAll(() => {
  // The stories are such that there is something to be told.
  expect(pages).toBeGreaterThan(RUNS);
  expect(resolves).toBeGreaterThan(0);
});

describe('a restart at any round', () => {
  it.each(Object.entries(POLICIES))('changes nothing that is told, with %s', async (_, policy) => {
    await fc.assert(
      fc.asyncProperty(story, deeds, restarts, async (traffic, done, broken) => {
        const config = configWith(policy);
        const deedAt = byStep(done, traffic.length);
        const through = await live(config, traffic, deedAt, new Map());
        const restarted = await live(config, traffic, deedAt, byStep(broken, traffic.length));
        expect(restarted).toEqual(through);
        const text = JSON.stringify(through);
        pages += text.split('"occasion":"fired"').length - 1;
        resolves += text.split('"occasion":"resolved"').length - 1;
      }),
      { numRuns: RUNS },
    );
  });
});
