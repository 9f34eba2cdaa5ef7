// Routing and the outbox together: whatever alerts do, however the channels answer and wherever the process is killed, once channels
// take messages again people have been told what is: every alert that fires, as bad as it is, and the end of every one they know of.
// GATEWATCH_OUTBOX_RUNS makes a longer run, GATEWATCH_FAULT_SEED another.
import fc from 'fast-check';
import type { Outcome } from '../../../sidecar/channel/channel';
import { MEMORY_KEYS } from '../../../sidecar/memory/memory-changes';
import { notificationOf } from '../../../sidecar/notify/notification-of-message';
import type { NotificationItem } from '../../../sidecar/notify/notification';
import { DEFAULT_LINKS } from '../../../sidecar/config/default-config';
import { deliveriesEnded, lostDeliveries } from '../../../sidecar/route/delivery';
import { readRouteState, writeRouteState } from '../../../sidecar/route/route-memory';
import { AnsweringChannel, hangs } from '../../support/answering-channel';
import { OutboxRun } from '../../support/outbox-run';
import { RoutingStory } from '../../support/routing-story';
import { ALERT_START_MS } from '../../support/sample-alerts';
import { errorRateRule } from '../../support/sample-rules';
import { REFUSED, RETRY, retryAfter, SENT } from '../../support/scripted-channel';
import { seededRandom } from '../../support/seeded-random';

const RUNS = Number(process.env['GATEWATCH_OUTBOX_RUNS'] ?? 40);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

const NAMES = ['shop', 'cart', 'pay'] as const;
const RULES = [errorRateRule()];

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('turn', 'worsen', 'acknowledge'),
      name: fc.constantFrom(...NAMES),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('rounds'), minutes: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('rounds'), minutes: fc.integer({ min: 20, max: 90 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill'), downMinutes: fc.constantFrom(0, 0, 5, 70) }) },
  // How well each channel does from now on.
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('change'),
      good: fc.tuple(...Array.from({ length: 3 }, () => fc.constantFrom(0, 0, 0.5, 1))),
    }),
  },
);

interface Step {
  readonly do: string;
  readonly name?: (typeof NAMES)[number];
  readonly minutes?: number;
  readonly downMinutes?: number;
  readonly good?: readonly number[];
}

interface Told {
  readonly createdMs: number;
  readonly item: NotificationItem;
}

class Bench {
  readonly story: RoutingStory;
  readonly run: OutboxRun;
  readonly channels: readonly AnsweringChannel[];
  /** How well each channel does. */
  good: readonly number[] = [1, 1, 1];
  kills = 0;
  #route: unknown;

  constructor(seed: number, deadlineMs: number, groupBy: readonly ('service' | 'rule')[]) {
    const random = seededRandom(seed);
    this.story = new RoutingStory({ groupBy });
    this.story.delivery = undefined;
    this.channels = [
      new AnsweringChannel('slack', { fallback: 'phone', deadlineMs, maxInFlight: 2 }),
      new AnsweringChannel('phone', { fallback: 'mail', deadlineMs, maxInFlight: 2 }),
      new AnsweringChannel('mail', { deadlineMs, maxInFlight: 2 }),
    ];
    this.story.channels = ['slack'];
    this.channels.forEach((channel, index) =>
      channel.answers(async () => {
        if (random() < (this.good[index] ?? 1)) return SENT;
        const bad: (Outcome | 'hang')[] = [RETRY, RETRY, retryAfter(20 * SECOND_MS), REFUSED, 'hang'];
        const answer = bad[Math.floor(random() * bad.length)] ?? RETRY;
        if (answer === 'hang') return hangs();
        await new Promise<void>((resolve) =>
          this.run.clock.after(Math.floor(random() * 20 * SECOND_MS), resolve),
        );
        return answer;
      }),
    );
    this.run = new OutboxRun(this.channels, ALERT_START_MS);
    this.run.random = random;
    this.run.onEnd = ({ delivery }) => {
      if (delivery) this.story.state = deliveriesEnded(this.story.state, [delivery], this.run.clock.nowMs());
    };
    this.#write();
  }

  #write(): void {
    this.run.write();
    this.#route = JSON.parse(JSON.stringify(writeRouteState(this.story.state)));
  }

  /** One round a minute; what ends in between is written on the way. */
  async rounds(minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute += 1) {
      this.story.nowMs = this.run.clock.nowMs();
      this.story.round();
      this.run.outbox.post(
        this.story.messages.map((message, index) => ({
          ...notificationOf(message, { links: DEFAULT_LINKS, externalLabels: {} }, () => undefined),
          // So that those of one round can be told apart.
          createdMs: message.createdMs + index,
        })),
      );
      this.#write();
      for (const passMs of [0, 20 * SECOND_MS, 40 * SECOND_MS]) {
        this.run.release();
        await this.run.clock.advanceAndSettle(passMs);
        this.#write();
      }
      this.run.release();
      // What is said now is not written before the next round: a kill may come first.
      await this.run.clock.advanceAndSettle(0);
    }
  }

  kill(downMinutes: number): void {
    this.kills += 1;
    const downMs = downMinutes * MINUTE_MS;
    const { state, unreadable } = readRouteState(this.#route, RULES, this.run.clock.nowMs() + downMs);
    const waiting = new Set(
      this.run
        .kept(MEMORY_KEYS.delivery)
        .flatMap(
          (key) => (this.run.disk.get(key) as { origin: { id: string } | undefined }).origin?.id ?? [],
        ),
    );
    // Nothing is lost that routing waits for.
    expect(lostDeliveries(state, waiting)).toEqual([]);
    this.story.state = state;
    this.run.restart({ downMs });
    expect([unreadable, this.run.unreadable]).toEqual([0, 0]);
  }

  /** What people were told last of an alert, wherever. */
  lastTold(name: string): NotificationItem | undefined {
    const told = this.channels.flatMap(({ taken }) =>
      taken.flatMap(({ createdMs, items }) =>
        items
          .map((item): Told => ({ createdMs, item }))
          .filter(({ item: { alertKey } }) => alertKey === this.story.key(name)),
      ),
    );
    return told.sort((a, b) => a.createdMs - b.createdMs).at(-1)?.item;
  }
}

/** A deed that makes no sense now is none. */
function act(story: RoutingStory, what: string, name: string): void {
  const { state, severity } = story.alerts.get(name) ?? {};
  const isActive = state === 'firing' || state === 'acknowledged';
  if (what === 'turn' && isActive) story.resolve(name);
  else if (what === 'turn') story.fire(name, 'warning');
  else if (what === 'worsen' && isActive && severity === 'warning') story.worsen(name, 'critical');
  else if (what === 'acknowledge' && state === 'firing') story.acknowledge(name);
}

describe('routing and the outbox, killed at any moment', () => {
  it('tell people in the end what is', async () => {
    let kills = 0;
    let handedOver = 0;
    let dead = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.constantFrom(30 * SECOND_MS, 10 * MINUTE_MS, HOUR_MS),
        fc.constantFrom(['service'] as const, ['rule'] as const),
        fc.array(step as fc.Arbitrary<Step>, { minLength: 10, maxLength: 40, size: 'max' }),
        async (seed, deadlineMs, groupBy, steps) => {
          const bench = new Bench(seed, deadlineMs, groupBy);
          const { story } = bench;
          for (const { do: what, name, minutes, downMinutes, good } of steps) {
            story.nowMs = bench.run.clock.nowMs();
            if (name) act(story, what, name);
            else if (minutes !== undefined) await bench.rounds(minutes);
            else if (downMinutes !== undefined) bench.kill(downMinutes);
            else if (good) bench.good = good;
          }
          bench.good = [1, 1, 1];
          await bench.rounds(1);
          bench.kill(0);
          // What was refused is told again after an hour.
          await bench.rounds(90);
          expect(bench.run.kept(MEMORY_KEYS.delivery)).toEqual([]);
          const slack = story.state.channels.get('slack');
          expect(slack?.underway.size ?? 0).toBe(0);
          for (const [name, alert] of story.alerts) {
            const last = bench.lastTold(name);
            if (alert.state === 'resolved')
              expect([name, last?.occasion ?? 'resolved']).toEqual([name, 'resolved']);
            else {
              expect([name, last?.occasion === 'resolved', last?.alert.sinceMs]).toEqual([
                name,
                false,
                alert.sinceMs,
              ]);
              expect([name, last?.alert.severity, last?.alert.state]).toEqual([
                name,
                alert.severity,
                alert.state,
              ]);
            }
          }
          kills += bench.kills;
          handedOver += bench.run.ends.filter(({ next }) => next !== undefined).length;
          dead += bench.run.outbox.deadLetters().length;
        },
      ),
      { numRuns: RUNS, seed: SEED },
    );
    process.stderr.write(`${RUNS} runs: ${kills} kills, ${handedOver} handed over, ${dead} dead letters\n`);
    // It looked at what it says that it looks at.
    expect([kills > RUNS, handedOver > RUNS, dead > 0]).toEqual([true, true, true]);
  });
});
