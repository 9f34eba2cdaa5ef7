// Random lives of alerts under random policies, routed round by round. The oracle knows nothing of how routing works: it reads the
// messages, remembers what each channel has read, and checks each item against that and against the alert that it tells of.
import fc from 'fast-check';
import { SEVERITIES, type Severity } from '../../../kong-plugin/contract/severity';
import { isActive, type Alert } from '../../../sidecar/alert/alert';
import type { NotificationPolicy } from '../../../sidecar/config/notification-policy';
import { RETELL_MS, RETELL_REFUSED_MS, type Delivery } from '../../../sidecar/route/delivery';
import type { Message, MessageItem } from '../../../sidecar/route/message';
import { readRouteState, writeRouteState } from '../../../sidecar/route/route-memory';
import { RoutingStory } from '../../support/routing-story';
import { ALERT_START_MS } from '../../support/sample-alerts';
import { errorRateRule } from '../../support/sample-rules';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NAMES = ['shop', 'cart', 'till'];
const CHANNELS = ['slack', 'phone'];

type Command =
  | { readonly do: 'pass'; readonly minutes: number }
  | { readonly do: 'fire'; readonly name: string; readonly severity: Severity }
  | { readonly do: 'worsen' | 'ease' | 'acknowledge' | 'resolve' | 'lose' | 'silence'; readonly name: string }
  | { readonly do: 'channel'; readonly channel: string }
  | { readonly do: 'restart' };

const name = fc.constantFrom(...NAMES);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('pass' as const), minutes: fc.nat({ max: 90 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('fire' as const),
      name,
      severity: fc.constantFrom(...SEVERITIES),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'worsen' as const,
        'ease' as const,
        'acknowledge' as const,
        'resolve' as const,
        'resolve' as const,
      ),
      name,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('silence' as const, 'lose' as const), name }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('channel' as const), channel: fc.constantFrom(...CHANNELS) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
);

const severities = fc.subarray([...SEVERITIES], { minLength: 1 });
const mild = fc.subarray<Severity>(['info', 'warning'], { minLength: 1 });

const policy: fc.Arbitrary<Partial<NotificationPolicy>> = fc.record({
  groupBy: fc.constantFrom<NotificationPolicy['groupBy']>([], ['service'], ['severity']),
  groupWaitMs: fc.constantFrom(0, 5 * MINUTE_MS),
  groupIntervalMs: fc.constantFrom(0, 10 * MINUTE_MS),
  repeatIntervalMs: fc.constantFrom(undefined, 30 * MINUTE_MS),
  repeatFactor: fc.constantFrom(1, 2),
  mostRepeatsPerDay: fc.nat({ max: 3 }),
  escalation: fc.record({ first: severities, second: severities }).map(({ first, second }) => [
    { afterMs: 0, channels: ['slack'], severities: first },
    { afterMs: 20 * MINUTE_MS, channels: ['phone', 'slack'], severities: second },
  ]),
  digest: fc.option(fc.record({ severities: mild, everyMs: fc.constant(60 * MINUTE_MS) }), {
    nil: undefined,
  }),
  quietHours: fc.option(
    mild.map((own) => ({
      severities: own,
      times: { days: ['mon', 'tue'] as const, fromMinute: 660, toMinute: 900, timeZone: 'UTC' },
    })),
    { nil: undefined },
  ),
});

/** What one channel has read of one alert. */
interface Read {
  readonly severity: Severity;
  readonly startedMs: number | undefined;
  readonly acknowledgedMs: number | undefined;
  readonly atMs: number;
}

class Oracle {
  readonly #story: RoutingStory;
  readonly #read = new Map<string, Read>();
  /** Channel, alert and run of every `fired`. */
  readonly #fired = new Set<string>();
  readonly #ids = new Set<string>();
  /** By the alert's name: when its severity eased. */
  readonly #eased = new Map<string, number[]>();
  readonly #repeats = new Map<string, number[]>();

  constructor(story: RoutingStory) {
    this.#story = story;
  }

  check(messages: readonly Message[]): void {
    for (const message of messages) {
      expect(this.#ids.has(message.id)).toBe(false);
      this.#ids.add(message.id);
      expect(message.items.length).toBeGreaterThan(0);
      for (const item of message.items) this.#checkItem(message, item);
      if (message.repeat > 0) this.#checkRepeat(message);
    }
  }

  forget(channel: string): void {
    for (const known of [this.#read, this.#fired, this.#repeats])
      for (const key of [...known.keys()]) if (key.startsWith(`${channel}/`)) known.delete(key);
  }

  ease(service: string, atMs: number): void {
    this.#eased.set(service, [...(this.#eased.get(service) ?? []), atMs]);
  }

  /** What channels believe to fire. */
  believed(): string[] {
    return [...this.#read.keys()];
  }

  #checkItem({ channel, createdMs }: Message, { alert, occasion, atMs, endReason }: MessageItem): void {
    const service = 'service' in alert.scope ? alert.scope.service : '';
    const key = `${channel}/${service}`;
    const read = this.#read.get(key);
    const now: Read = {
      severity: alert.severity,
      startedMs: alert.sinceMs,
      acknowledgedMs: alert.acknowledgement?.atMs,
      atMs,
    };
    expect(atMs).toBeLessThanOrEqual(createdMs);
    expect(endReason === undefined).toBe(occasion !== 'resolved');
    switch (occasion) {
      case 'fired':
      case 'escalated': {
        expect(read).toBeUndefined();
        const run = `${key}/${String(alert.sinceMs)}`;
        expect(this.#fired.has(run)).toBe(false);
        this.#fired.add(run);
        expect(this.#isDue(channel, alert.severity, createdMs - (alert.firedMs ?? Infinity))).toBe(true);
        break;
      }
      case 'worsened':
        expect(read?.startedMs).toBe(alert.sinceMs);
        if (!this.#hasEased(service, read?.atMs ?? Infinity, atMs))
          expect(rank(alert.severity)).toBeGreaterThan(rank(read?.severity));
        break;
      case 'acknowledged':
        expect(read?.startedMs).toBe(alert.sinceMs);
        expect(now.acknowledgedMs).toBeDefined();
        expect(now.acknowledgedMs).not.toBe(read?.acknowledgedMs);
        break;
      case 'repeated':
        expect(read?.startedMs).toBe(alert.sinceMs);
        expect(alert.state).toBe('firing');
        break;
      case 'resolved':
        expect(read).toBeDefined();
        expect(isActive(alert)).toBe(false);
    }
    if (occasion === 'resolved') this.#read.delete(key);
    else this.#read.set(key, now);
  }

  #hasEased(service: string, afterMs: number, untilMs: number): boolean {
    return (this.#eased.get(service) ?? []).some((ms) => ms > afterMs && ms < untilMs);
  }

  #isDue(channel: string, severity: Severity, lastedMs: number): boolean {
    return this.#story.policy.escalation.some(
      (step) =>
        step.channels.includes(channel) && step.severities.includes(severity) && step.afterMs <= lastedMs,
    );
  }

  #checkRepeat({ channel, groupKey, createdMs }: Message): void {
    const key = `${channel}/${groupKey}`;
    const times = [...(this.#repeats.get(key) ?? []), createdMs].filter((ms) => ms > createdMs - DAY_MS);
    this.#repeats.set(key, times);
    expect(times.length).toBeLessThanOrEqual(this.#story.policy.mostRepeatsPerDay);
  }
}

function rank(severity: Severity | undefined): number {
  return severity === undefined ? -1 : SEVERITIES.indexOf(severity);
}

function play(story: RoutingStory, oracle: Oracle | undefined, { do: what, ...details }: Command): void {
  const alert = 'name' in details ? story.alerts.get(details.name) : undefined;
  const fires = alert !== undefined && isActive(alert);
  // No two runs begin at the same moment.
  story.nowMs += 1_000;
  if (what === 'pass' && 'minutes' in details) story.nowMs += details.minutes * MINUTE_MS;
  if (what === 'fire' && 'severity' in details && !fires) story.fire(details.name, details.severity);
  if (what === 'restart') restart(story);
  if ('name' in details) {
    if (what === 'resolve' && fires) story.resolve(details.name);
    if (what === 'acknowledge' && fires) story.acknowledge(details.name);
    if (what === 'lose') story.lose(details.name);
    if (what === 'silence') toggleSilence(story, details.name);
    const worse = alert && SEVERITIES[rank(alert.severity) + 1];
    if (what === 'worsen' && fires && worse) story.worsen(details.name, worse);
    const milder = alert && SEVERITIES[rank(alert.severity) - 1];
    if (what === 'ease' && fires && milder) {
      story.ease(details.name, milder);
      oracle?.ease(details.name, story.nowMs);
    }
  }
  if (what === 'channel' && 'channel' in details) {
    const { channel } = details;
    const isThere = story.channels.includes(channel);
    story.channels = isThere
      ? story.channels.filter((other) => other !== channel)
      : [...story.channels, channel];
    if (isThere) oracle?.forget(channel);
  }
  story.round();
  oracle?.check(story.messages);
}

function toggleSilence(story: RoutingStory, service: string): void {
  const others = story.silences.filter(({ comment }) => comment !== service);
  if (others.length < story.silences.length) story.silences = others;
  else
    story.silences = [
      ...others,
      {
        id: '00000000000000aa',
        matchers: [{ label: 'service', operator: '=', value: service }],
        startsMs: story.nowMs,
        endsMs: story.nowMs + 100 * MINUTE_MS,
        createdBy: 'ada',
        comment: service,
        createdMs: story.nowMs,
      },
    ];
}

/** What is read again is what was written. */
function restart(story: RoutingStory): void {
  const written: unknown = JSON.parse(JSON.stringify(writeRouteState(story.state)));
  const { state, unreadable } = readRouteState(written, [errorRateRule()], story.nowMs);
  expect(unreadable).toBe(0);
  expect(state).toEqual(story.state);
  story.state = state;
}

function passMinutes(story: RoutingStory, oracle: Oracle, minutes: number): void {
  for (let minute = 0; minute < minutes; minute += 40) play(story, oracle, { do: 'pass', minutes: 40 });
}

describe('routing', () => {
  it('tells each channel what changed and nothing else, whatever happens to the alerts', () => {
    fc.assert(
      fc.property(policy, fc.array(command, { minLength: 5, maxLength: 60 }), (own, commands) => {
        const story = new RoutingStory(own);
        const oracle = new Oracle(story);
        for (const one of commands) play(story, oracle, one);
        for (const service of NAMES) play(story, oracle, { do: 'resolve', name: service });
        // Longer than quiet hours, digest and interval together.
        passMinutes(story, oracle, 24 * 60);
        expect(oracle.believed()).toEqual([]);
        expect(story.state.ends.size + story.state.runs.size).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('tells in the end of all that fires and is not muted', () => {
    fc.assert(
      fc.property(policy, fc.array(command, { minLength: 5, maxLength: 40 }), (own, commands) => {
        const everyone = [{ afterMs: 0, channels: CHANNELS, severities: SEVERITIES }];
        const story = new RoutingStory({ ...own, escalation: everyone });
        const oracle = new Oracle(story);
        for (const one of commands) play(story, oracle, one);
        passMinutes(story, oracle, 24 * 60);
        const fires = NAMES.filter((service) => {
          const alert = story.alerts.get(service);
          return alert !== undefined && isActive(alert);
        });
        const expected = story.channels.flatMap((channel) => fires.map((service) => `${channel}/${service}`));
        expect(oracle.believed().sort()).toEqual(expected.sort());
      }),
      { numRuns: 100 },
    );
  });

  it('goes on after a restart as if there had been none', () => {
    fc.assert(
      fc.property(policy, fc.array(command, { minLength: 5, maxLength: 40 }), (own, commands) => {
        const tell = (restarts: boolean): Message[] => {
          const story = new RoutingStory(own);
          const oracle = new Oracle(story);
          return commands
            .filter(({ do: what }) => what !== 'restart')
            .flatMap((one) => {
              if (restarts) restart(story);
              play(story, oracle, one);
              return story.messages;
            });
        };
        expect(tell(true)).toEqual(tell(false));
      }),
      { numRuns: 50 },
    );
  });

  it('loses in a digest nothing but what it counts', () => {
    const plain = fc
      .array(command, { minLength: 5, maxLength: 60 })
      .map((commands) =>
        commands.filter(({ do: what }) =>
          ['pass', 'fire', 'worsen', 'ease', 'resolve', 'acknowledge'].includes(what),
        ),
      );
    const digest = { severities: ['info', 'warning'], everyMs: 60 * MINUTE_MS } as const;
    fc.assert(
      fc.property(plain, (commands) => {
        const story = new RoutingStory({ digest });
        const oracle = new Oracle(story);
        const runs = new Set<string>();
        const told = new Set<string>();
        let counted = 0;
        const step = (one: Command): void => {
          play(story, oracle, one);
          for (const [service, alert] of story.alerts)
            if (isActive(alert)) runs.add(`${service} ${String(alert.sinceMs)}`);
          for (const { items, leftOut } of story.messages) {
            counted += leftOut;
            for (const { alert, occasion } of items)
              if (occasion === 'fired' && 'service' in alert.scope)
                told.add(`${alert.scope.service} ${String(alert.sinceMs)}`);
          }
        };
        for (const one of commands) step(one);
        for (let minute = 0; minute < 120; minute += 10) step({ do: 'pass', minutes: 10 });
        counted += story.state.channels.get('slack')?.leftOut ?? 0;
        const missing = [...runs].filter((run) => !told.has(run)).length;
        expect(missing).toBeLessThanOrEqual(counted);
        if (counted === 0) expect(told).toEqual(runs);
      }),
      { numRuns: 100 },
    );
  });
});

/** How the messages of a channel end: at once, or `late`: with those that come after them, in their order. */
type Network = Delivery['how'] | 'late';

type FailingCommand =
  Command | { readonly do: 'network'; readonly channel: string; readonly network: Network };

const network = fc.record({
  do: fc.constant('network' as const),
  channel: fc.constantFrom(...CHANNELS),
  network: fc.constantFrom<Network>('sent', 'late', 'expired', 'refused', 'dropped'),
});

/** A story whose messages may not arrive; it keeps what each channel believes, from what has arrived alone. */
class FailingStory {
  readonly story: RoutingStory;
  /** Channel and alert -> the run of the last that arrived, and when it was acknowledged. */
  readonly believed = new Map<string, string>();
  /** The same -> the severity that it was told to have. */
  readonly severities = new Map<string, Severity>();
  readonly #networks = new Map<string, Network>();
  readonly #late = new Map<string, Message[]>();
  readonly #firedRead = new Set<string>();
  /** Channel and alert -> what of it failed last, if nothing has arrived since. */
  readonly #failed = new Map<
    string,
    { readonly news: string; readonly ms: number; readonly how: Delivery['how'] }
  >();

  constructor(own: Partial<NotificationPolicy>) {
    this.story = new RoutingStory(own);
    this.story.delivery = undefined;
  }

  play(one: FailingCommand): void {
    if (one.do === 'network') {
      this.#networks.set(one.channel, one.network);
      this.#endLate(one.channel);
      return;
    }
    play(this.story, undefined, one);
    for (const message of this.story.messages) this.#deliver(message);
  }

  #deliver(message: Message): void {
    for (const item of message.items) {
      const failed = this.#failed.get(keyOf(message.channel, item));
      const waitMs = failed?.how === 'refused' ? RETELL_REFUSED_MS : RETELL_MS;
      if (failed?.news === newsOf(item) && item.occasion !== 'repeated' && item.occasion !== 'resolved')
        expect(message.createdMs - failed.ms).toBeGreaterThanOrEqual(waitMs);
    }
    const how = this.#networks.get(message.channel) ?? 'sent';
    if (how === 'late')
      this.#late.set(message.channel, [...(this.#late.get(message.channel) ?? []), message]);
    else this.#end(message, how);
  }

  #endLate(channel: string): void {
    const how = this.#networks.get(channel) ?? 'sent';
    if (how === 'late') return;
    for (const message of this.#late.get(channel) ?? []) this.#end(message, how);
    this.#late.delete(channel);
  }

  #end(message: Message, how: Delivery['how']): void {
    this.story.end(message, how);
    for (const item of message.items) {
      if (how === 'sent') this.#read(message.channel, item);
      else if (item.occasion !== 'repeated')
        this.#failed.set(keyOf(message.channel, item), { news: newsOf(item), ms: this.story.nowMs, how });
    }
  }

  #read(channel: string, { alert, occasion }: MessageItem): void {
    const key = keyOf(channel, { alert });
    this.#failed.delete(key);
    if (occasion === 'resolved') {
      this.believed.delete(key);
      return;
    }
    const run = `${key}/${String(alert.sinceMs)}`;
    if (occasion === 'fired') {
      expect(this.#firedRead.has(run)).toBe(false);
      this.#firedRead.add(run);
    }
    this.believed.set(key, beliefOf(alert));
    this.severities.set(key, alert.severity);
  }
}

function keyOf(channel: string, { alert: { scope } }: Pick<MessageItem, 'alert'>): string {
  return `${channel}/${'service' in scope ? scope.service : ''}`;
}

function newsOf({ alert, occasion }: MessageItem): string {
  const { sinceMs, severity, acknowledgement } = alert;
  return JSON.stringify([sinceMs, severity, acknowledgement?.atMs, occasion === 'resolved']);
}

function beliefOf({ sinceMs, acknowledgement }: Alert): string {
  return JSON.stringify([sinceMs, acknowledgement?.atMs]);
}

describe('routing whose messages do not all arrive', () => {
  it('has every channel that takes messages again know in the end what fires, and nothing else', () => {
    const known = command.filter((one) => one.do !== 'channel' && one.do !== 'silence');
    // Together shorter than the time for which ends are told again.
    const short = known.map((one): FailingCommand =>
      one.do === 'pass' ? { ...one, minutes: one.minutes / 3 } : one,
    );
    const commands = fc.array(fc.oneof({ weight: 5, arbitrary: short }, { weight: 2, arbitrary: network }), {
      minLength: 5,
      maxLength: 40,
    });
    fc.assert(
      fc.property(policy, commands, (changes, all) => {
        const everyone = [{ afterMs: 0, channels: CHANNELS, severities: SEVERITIES }];
        const failing = new FailingStory({ ...changes, escalation: everyone });
        for (const one of all) failing.play(one);
        for (const channel of CHANNELS) failing.play({ do: 'network', channel, network: 'sent' });
        for (let minute = 0; minute < 24 * 60; minute += 40) failing.play({ do: 'pass', minutes: 40 });
        const fires = CHANNELS.flatMap((channel) =>
          [...failing.story.alerts]
            .filter(([, alert]) => isActive(alert))
            .map(([service, alert]) => [`${channel}/${service}`, alert] as const),
        );
        expect(failing.believed).toEqual(new Map(fires.map(([key, alert]) => [key, beliefOf(alert)])));
        // Nobody is told that a severity has eased.
        for (const [key, { severity }] of fires)
          expect(rank(failing.severities.get(key))).toBeGreaterThanOrEqual(rank(severity));
        for (const { underway } of failing.story.state.channels.values()) expect(underway.size).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});

describe('the memory of routing', () => {
  it('leaves out what cannot be read, and counts it', () => {
    const story = new RoutingStory({ digest: { severities: ['info'], everyMs: MINUTE_MS } });
    story.fire('shop').fire('cart', 'info').round();
    const written = JSON.parse(JSON.stringify(writeRouteState(story.state))) as {
      channels: { notes: unknown[]; gathered: { item: { alert: unknown } }[] }[];
      runs: unknown[];
    };
    written.channels[0]?.notes.push({ key: 7 });
    const [gathered] = written.channels[0]?.gathered ?? [];
    if (gathered) gathered.item.alert = 'broken';
    written.runs.push('broken');
    const { state, unreadable } = readRouteState(written, [errorRateRule()], story.nowMs);
    expect(unreadable).toBe(3);
    expect(state.channels.get('slack')?.notes).toEqual(story.state.channels.get('slack')?.notes);
    expect(state.channels.get('slack')?.gathered).toEqual([]);
    expect(state.runs).toEqual(story.state.runs);
  });

  it('is empty where nothing can be read', () => {
    const { state, unreadable } = readRouteState('broken', [], ALERT_START_MS);
    expect(unreadable).toBe(1);
    expect(state).toEqual({ channels: new Map(), runs: new Map(), ends: new Map(), nextMessage: 1 });
  });

  it('does not make a group wait for a time that the clock was set back over', () => {
    const story = new RoutingStory({ groupBy: [], groupIntervalMs: 5 * MINUTE_MS }).fire('shop');
    story.round(0);
    const { state } = readRouteState(
      writeRouteState(story.state),
      [errorRateRule()],
      ALERT_START_MS - DAY_MS,
    );
    const [times] = [...(state.channels.get('slack')?.groups.values() ?? [])];
    expect(times).toMatchObject({ newsMs: ALERT_START_MS - DAY_MS, sentMs: ALERT_START_MS - DAY_MS });
  });
});
