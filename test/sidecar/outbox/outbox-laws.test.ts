// The laws of the outbox: whatever is posted, however the channels answer and wherever the process is killed, every letter arrives at
// least once or is a dead letter, in order for each alert, never before it is on disk, and the routing hears of each end once.
// GATEWATCH_OUTBOX_RUNS makes a longer run, GATEWATCH_FAULT_SEED another.
import fc from 'fast-check';
import type { Outcome } from '../../../sidecar/channel/channel';
import { MEMORY_KEYS } from '../../../sidecar/memory/memory-changes';
import type { Notification, NotificationItem } from '../../../sidecar/notify/notification';
import { AnsweringChannel, hangs, type Answering } from '../../support/answering-channel';
import { settle } from '../../support/manual-clock';
import { OutboxRun } from '../../support/outbox-run';
import {
  SAMPLE_STARTED_MS,
  sampleGroup,
  sampleItem,
  sampleResolvedItem,
} from '../../support/sample-notification';
import { REFUSED, RETRY, retryAfter, SENT } from '../../support/scripted-channel';
import { seededRandom } from '../../support/seeded-random';

const RUNS = Number(process.env['GATEWATCH_OUTBOX_RUNS'] ?? 60);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

const ALERTS = ['x', 'y', 'z'] as const;
type AlertName = (typeof ALERTS)[number];

/** `desk` falls back on `phone`, which falls back on `mail`; `own` stands alone. `mail` is told of nothing by itself. */
const FALLBACKS = { desk: 'phone', phone: 'mail', own: undefined, mail: undefined } as const;
type Name = keyof typeof FALLBACKS;
const NAMES = Object.keys(FALLBACKS) as Name[];

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('post' as const),
      to: fc.constantFrom('desk' as const, 'phone' as const, 'own' as const),
      about: fc.uniqueArray(fc.constantFrom(...ALERTS), { minLength: 1, maxLength: 2 }),
      group: fc.constantFrom('one', 'two'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('write' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const) }) },
  // What can be said without time passing is said, of which a kill may find only a part done.
  { weight: 4, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.oneof(fc.nat(5 * SECOND_MS), fc.nat(10 * 60 * SECOND_MS), fc.nat(HOUR_MS)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('kill' as const),
      downMs: fc.oneof(fc.constant(0), fc.nat(30 * SECOND_MS), fc.nat(HOUR_MS)),
    }),
  },
);

interface Scene {
  /** Makes the channels' answers. */
  readonly seed: number;
  /** Of the answers, how many are good. */
  readonly good: number;
  readonly deadlineMs: number;
  readonly maxInFlight: number;
}

const scene: fc.Arbitrary<Scene> = fc.record({
  seed: fc.nat(),
  good: fc.constantFrom(0.1, 0.5, 0.9),
  deadlineMs: fc.constantFrom(10 * SECOND_MS, 300 * SECOND_MS, HOUR_MS),
  maxInFlight: fc.integer({ min: 1, max: 4 }),
});

interface Posted {
  readonly letter: Notification;
  readonly to: Name;
}

class Bench {
  readonly channels = new Map<Name, AnsweringChannel>();
  readonly run: OutboxRun;
  /** By its number, which is in `createdMs`, through all channels. */
  readonly posted = new Map<number, Posted>();
  /** What was seen to be wrong. */
  readonly faults: string[] = [];
  /** As the routing keeps it: ids of letters that have not ended. */
  underway = new Set<string>();
  /** On the disk. */
  #underwayWritten = new Set<string>();
  readonly #everWritten = new Set<string>();
  #number = 0;
  readonly #fires = new Set<string>();
  #isOver = false;

  constructor({ seed, good, deadlineMs, maxInFlight }: Scene) {
    const random = seededRandom(seed);
    for (const name of NAMES) {
      const channel = new AnsweringChannel(name, { fallback: FALLBACKS[name], deadlineMs, maxInFlight });
      this.channels.set(name, channel.answers(this.#answering(random, good)));
    }
    this.run = new OutboxRun([...this.channels.values()], SAMPLE_STARTED_MS);
    this.run.random = random;
    this.run.onEnd = ({ delivery }) => {
      if (!delivery) return;
      if (!this.underway.delete(delivery.id))
        this.faults.push(`an end of ${delivery.id} that is not on its way`);
    };
  }

  #answering(random: () => number, good: number): Answering {
    return async ({ letter }) => {
      if (!this.#everWritten.has(letter.id)) this.faults.push(`${letter.id} was sent before it was written`);
      const { clock } = this.run;
      const isGood = this.#isOver || random() < good;
      const bad: (Outcome | 'throw' | 'hang')[] = [
        RETRY,
        RETRY,
        retryAfter(20 * SECOND_MS),
        REFUSED,
        'throw',
        'hang',
      ];
      const answer = isGood ? SENT : (bad[Math.floor(random() * bad.length)] ?? SENT);
      if (answer === 'hang') return hangs();
      if (random() < 0.3)
        await new Promise<void>((resolve) => clock.after(random() * 9 * SECOND_MS, resolve));
      if (answer === 'throw') throw new Error('a fault');
      return answer;
    };
  }

  /** Each alert that is told of has fired, or has ended, since its stream was told of it last. */
  post(to: Name, about: readonly AlertName[], group: string): void {
    this.#number += 1;
    const items = about.map((service): NotificationItem => {
      const key = `${to} ${service}`;
      const fires = !this.#fires.has(key);
      if (fires) this.#fires.add(key);
      else this.#fires.delete(key);
      return fires ? sampleItem({ service }) : sampleResolvedItem({ service });
    });
    const message = { id: `m${this.#number}`, groupKey: group, createdMs: SAMPLE_STARTED_MS + this.#number };
    const letter = sampleGroup(items, { channel: to, message });
    this.posted.set(this.#number, { letter, to });
    this.underway.add(letter.id);
    this.run.outbox.post([letter]);
  }

  write(): void {
    this.run.write();
    for (const key of this.run.kept(MEMORY_KEYS.delivery))
      this.#everWritten.add((this.run.disk.get(key) as { letter: { id: string } }).letter.id);
    this.#underwayWritten = new Set(this.underway);
  }

  async send(): Promise<void> {
    this.write();
    this.run.release();
    await settle();
  }

  kill(downMs: number): void {
    this.underway = new Set(this.#underwayWritten);
    this.run.restart({ downMs });
    // What was told of an alert that nobody has heard of was not told; the next letter of it begins anew.
    for (const [number, { letter, to }] of [...this.posted].reverse())
      if (!this.#everWritten.has(letter.id)) {
        this.posted.delete(number);
        for (const { occasion, alert } of letter.items) {
          const key = `${to} ${'service' in alert.scope ? alert.scope.service : ''}`;
          if (occasion === 'resolved') this.#fires.add(key);
          else this.#fires.delete(key);
        }
      }
  }

  /** Everybody takes everything, every alert ends, and time goes on until nothing is left to do. */
  async end(): Promise<void> {
    this.write();
    this.#isOver = true;
    this.kill(0);
    for (const key of [...this.#fires]) {
      const [to, service] = key.split(' ') as [Name, AlertName];
      this.post(to, [service], 'one');
    }
    for (let second = 0; second < 120; second += 1) {
      this.write();
      this.run.release();
      await this.run.clock.advanceAndSettle(SECOND_MS);
    }
    this.write();
  }
}

/** Of a letter, whatever channel it is for. */
function numberOf({ createdMs }: Notification): number {
  return createdMs - SAMPLE_STARTED_MS;
}

function isAbout(alert: AlertName): (letter: Notification) => boolean {
  return ({ items }) => items.some(({ alert: { scope } }) => 'service' in scope && scope.service === alert);
}

/** The channels that may tell what was meant for this one, itself first. */
function chainOf(name: Name): Name[] {
  const next = FALLBACKS[name];
  return next === undefined ? [name] : [name, ...chainOf(next)];
}

function check(bench: Bench): void {
  const { run, channels, posted, faults } = bench;
  expect(faults).toEqual([]);
  expect(run.unreadable).toBe(0);
  // Nothing is left to be done, here or in the routing.
  expect(run.kept(MEMORY_KEYS.delivery)).toEqual([]);
  expect([...bench.underway]).toEqual([]);

  const channelOf = (name: Name): AnsweringChannel => channels.get(name) as AnsweringChannel;
  const dead = run.outbox.deadLetters().flatMap(({ letter }) => (letter.kind === 'change' ? [] : [letter]));
  const isDead = (number: number): boolean => dead.some((letter) => numberOf(letter) === number);
  for (const [number, { letter, to }] of posted) {
    const taken = chainOf(to).some((name) => channelOf(name).taken.some((one) => numberOf(one) === number));
    expect([letter.id, taken || isDead(number)]).toEqual([letter.id, true]);
  }
  for (const name of NAMES) {
    const { tries, taken } = channelOf(name);
    for (const stream of NAMES)
      for (const alert of ALERTS) {
        const own = (one: Notification): boolean =>
          posted.get(numberOf(one))?.to === stream && isAbout(alert)(one);
        const failed = run.ends.flatMap(({ how, letter }) =>
          how !== 'sent' && letter.kind !== 'change' && letter.channel === name && own(letter)
            ? [numberOf(letter)]
            : [],
        );
        // Repeats after kills aside: in order when first tried, and, of what it took for good, in order when tried last.
        const numbers = tries.flatMap(({ letter }) => (own(letter) ? [numberOf(letter)] : []));
        const first = [...new Set(numbers)];
        expect([name, stream, alert, first]).toEqual([name, stream, alert, [...first].sort((a, b) => a - b)]);
        const last = [...new Set([...numbers].reverse())].filter((number) => !failed.includes(number));
        expect([name, stream, alert, last]).toEqual([name, stream, alert, [...last].sort((a, b) => b - a)]);
        // Nobody is told how an alert goes on who was never to be told of it in the place of another.
        const isStandIn = run.ends.some(
          ({ letter, next }) => next === name && letter.kind !== 'change' && own(letter),
        );
        if (numbers.length > 0 && stream !== name)
          expect([name, stream, alert, isStandIn]).toEqual([name, stream, alert, true]);
        // Whoever was told that it fires is told that it is over, unless it is known not to have been.
        const lastWord = taken.findLast(own);
        const lastItem = lastWord?.items.findLast(
          ({ alert: { scope } }) => 'service' in scope && scope.service === alert,
        );
        const isKnownToBeWrong = lastWord && failed.some((number) => number > numberOf(lastWord));
        if (lastItem && !isKnownToBeWrong)
          expect([name, stream, alert, lastItem.occasion]).toEqual([name, stream, alert, 'resolved']);
      }
  }
}

describe('the outbox, killed at any moment', () => {
  it('brings every letter to somebody, in order for each alert, and keeps its word to the routing', async () => {
    let kills = 0;
    let handedOver = 0;
    let dead = 0;
    await fc.assert(
      fc.asyncProperty(
        scene,
        fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }),
        async (given, steps) => {
          const bench = new Bench(given);
          for (const one of steps) {
            if (one.do === 'post') bench.post(one.to, one.about, one.group);
            else if (one.do === 'write') bench.write();
            else if (one.do === 'release') bench.run.release();
            else if (one.do === 'send') await bench.send();
            else if (one.do === 'settle') await settle();
            else if (one.do === 'pass') await bench.run.clock.advanceAndSettle(one.ms);
            else {
              kills += 1;
              bench.kill(one.downMs);
            }
          }
          await bench.end();
          check(bench);
          handedOver += bench.run.ends.filter(({ next }) => next !== undefined).length;
          dead += bench.run.outbox.deadLetters().length;
        },
      ),
      { numRuns: RUNS, seed: SEED },
    );
    // It looked at what it says that it looks at.
    process.stderr.write(`${RUNS} runs: ${kills} kills, ${handedOver} handed over, ${dead} dead letters\n`);
    expect([kills > RUNS, handedOver > RUNS, dead > 0]).toEqual([true, true, true]);
  });
});
