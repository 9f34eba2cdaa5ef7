// Alerting as it runs: the engine on a clock, its memory on disk, its messages on their way. What people must be told is on disk
// before it is sent, and is sent again at the next start unless its end is on disk too.
// The engine's clock goes on over restarts: it begins where it stopped, moved on by what the system's clock says has passed.
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { shiftAlert, type Alert } from './alert/alert';
import { shiftChange, type AlertChange } from './alert/alert-change';
import { alertKey } from './alert/alert-key';
import { AlertRecords } from './alert/alert-records';
import { aheadOf, continuedClock, type Clock } from './clock';
import type { Config } from './config/config';
import { DEFAULT_LINKS } from './config/default-config';
import { Engine, type AcknowledgeOutcome, type RoundOutcome } from './engine';
import { engineSettingsOf } from './engine-settings';
import { ConfigurationWatch } from './kong/configuration-watch';
import type { KongFacts } from './kong/kong-facts';
import { EventLog, type EventFilter, type EventPage } from './memory/event-log';
import { joinChanges, MEMORY_KEYS, type MemoryChanges } from './memory/memory-changes';
import type { OpenMemory } from './memory/memory-store';
import type { Channel } from './channel/channel';
import type { ChangeNotice } from './notify/letter';
import type { Notification } from './notify/notification';
import { notificationOf } from './notify/notification-of-message';
import type { Try } from './outbox/channel-queue';
import { stillTrue, type DeadLetterStatus } from './outbox/dead-letter-book';
import { eventOfSilence, eventsOfChange, eventsOfDiscard, eventsOfEnd } from './outbox/events-of';
import { Outbox, type OutboxEnd, type SendAgainAnswer } from './outbox/outbox';
import type { Message } from './route/message';
import type { Delivery } from './route/delivery';
import type { MuteReasons } from './route/mute-reasons';
import { EMPTY_ROUTE_STATE } from './route/route-state';
import { readRouteState, writeRouteState } from './route/route-memory';
import type { Silence } from './route/silence';
import type { SilenceFault, SilenceRequest } from './route/silence-book';
import { SilenceRecords } from './route/silence-records';
import type { Evidence } from './window/evidence';
import { WindowMemory } from './window/window-memory';

/** Ends of deliveries come many at a time; they are written down together. */
const ENDS_TOGETHER_MS = 100;

const NOT_MUTED: MuteReasons = { silences: [], maintenance: [], inhibitedBy: undefined };

/** A disk that hangs must not keep people from being told. */
const MOST_COMMIT_WAIT_MS = 2_000;

export interface AlertingParts {
  readonly config: Config;
  readonly channels: readonly Channel[];
  readonly kong: () => KongFacts;
  readonly memory: OpenMemory;
  /** The producers that were alive at a time, Unix ms on the system's clock. */
  readonly producersAliveAt: (timeMs: number) => Iterable<string>;
  /** When the last batch was counted that the ledger knows of, on the same clock. */
  readonly lastBatchMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each try to deliver something. */
  readonly onTry?: (made: Try) => void;
  /** Told of how each letter ended on its channel. */
  readonly onLetterEnd?: (end: OutboxEnd) => void;
  /** Told of a fault of its own, which is in the log too. */
  readonly onFault: (error: unknown) => void;
}

export class Alerting {
  /** The engine's clock. */
  readonly clock: Clock;
  readonly engine: Engine;
  readonly outbox: Outbox;
  readonly #parts: AlertingParts;
  readonly #aheadMs: () => number;
  readonly #windowMemory: WindowMemory;
  readonly #events: EventLog;
  readonly #alerts = new AlertRecords();
  readonly #silences = new SilenceRecords();
  readonly #configurations = new ConfigurationWatch();
  #config: Config;
  #writtenRoute: unknown;
  #cancelEnds: (() => void) | undefined;
  /** Of deliveries, which the routing does not know of yet. */
  readonly #ended: Delivery[] = [];
  /** The latest commit; messages wait for theirs. */
  #turn: Promise<void> = Promise.resolve();
  /** What became of the latest round. */
  #taken: Promise<void> = Promise.resolve();
  #untold = 0;
  /** Up to when the ends of silences were told, Unix ms. */
  #silencesToldMs: number;
  readonly #fires = (key: string): boolean => this.engine.fires(key);
  /** Ids of those whose ends were told by hand, or before the start. */
  readonly #endsTold = new Set<string>();

  constructor(parts: AlertingParts) {
    const { config, clock, memory, kong } = parts;
    this.#parts = parts;
    this.#config = config;
    const stopped = readClockRecord(memory.entries.get(MEMORY_KEYS.clock));
    this.clock = continuedClock(clock, stopped);
    this.#aheadMs = aheadOf(clock, this.clock);
    this.#silencesToldMs = stopped?.wallMs ?? clock.nowMs();
    const nowMs = this.clock.nowMs();
    this.#events = new EventLog(clock.nowMs());
    this.engine = new Engine(engineSettingsOf(config), nowMs, kong);
    this.#windowMemory = new WindowMemory(this.engine.windows);
    this.outbox = new Outbox(
      {
        clock,
        logger: parts.logger,
        random: Math.random,
        onTry: (made) => parts.onTry?.(made),
        onNote: () => this.#writeSoon(),
        onEnd: (end) => this.#onEnd(end),
      },
      parts.channels,
    );
    this.#restore(nowMs, stopped?.wallMs);
  }

  /** Changes that nobody was told of, since no channel was configured. */
  get untold(): number {
    return this.#untold;
  }

  /** Judges every rule, remembers, and sends. */
  round(nowMs: number): void {
    this.#endSilences();
    this.#noteEnds();
    const outcome = this.engine.round(nowMs, this.#aheadMs());
    // Behind the round: one that throws would lose them, since they are looked for once.
    this.#taken = this.#take(outcome, this.#kongChanges()).catch((error: unknown) => {
      this.#parts.logger.error({ err: error }, 'what a round found could not be written down or sent');
      this.#parts.onFault(error);
    });
  }

  /** Resolves once what the latest round found is on disk, or waits for it, and is on its way to people. */
  async settled(): Promise<void> {
    await this.#taken;
  }

  /** Every alert, as people tell its times. */
  alerts(): Alert[] {
    const aheadMs = this.#aheadMs();
    return [...this.engine.book.alerts()].map((alert) => shiftAlert(alert, aheadMs));
  }

  /** By the alert's key. */
  muteReasons(): ReadonlyMap<string, MuteReasons> {
    const reasons = new Map(this.engine.muteReasons(this.clock.nowMs(), this.#aheadMs()));
    for (const key of this.engine.gathered())
      reasons.set(key, { ...NOT_MUTED, ...reasons.get(key), isGathered: true });
    return reasons;
  }

  evidenceOf(alert: Alert): Evidence | undefined {
    return this.engine.evidenceOf(alert, this.clock.nowMs());
  }

  events(filter: EventFilter): EventPage {
    return this.#events.list(filter);
  }

  async acknowledge(id: string, by: string, comment: string): Promise<AcknowledgeOutcome> {
    const aheadMs = this.#aheadMs();
    this.#noteEnds();
    const answer = this.engine.acknowledge(id, by, comment, this.clock.nowMs(), aheadMs);
    if (answer.outcome === 'acknowledged') await this.#take(answer);
    return 'alert' in answer ? { ...answer, alert: shiftAlert(answer.alert, aheadMs) } : answer;
  }

  get silences(): readonly Silence[] {
    return this.engine.silences;
  }

  async silence(request: SilenceRequest): Promise<Silence | { readonly faults: readonly SilenceFault[] }> {
    const timeMs = this.#parts.clock.nowMs();
    const silence = this.engine.silence(request, timeMs);
    if ('faults' in silence) return silence;
    this.#events.append([eventOfSilence('silence_created', silence, silence.createdBy, timeMs)], timeMs);
    await this.#commit(this.#smallChanges());
    return silence;
  }

  async expire(id: string, by: string): Promise<Silence | undefined> {
    const timeMs = this.#parts.clock.nowMs();
    const silence = this.engine.expire(id, timeMs);
    if (silence === undefined) return undefined;
    this.#endsTold.add(id);
    this.#events.append([eventOfSilence('silence_expired', silence, by, timeMs)], timeMs);
    await this.#commit(this.#smallChanges());
    return silence;
  }

  /** Letters that no channel took, the newest first. */
  deadLetters(): readonly DeadLetterStatus[] {
    return this.outbox
      .deadLetters()
      .map((dead) => ({ ...dead, isObsolete: stillTrue(dead.letter, this.#fires) === undefined }));
  }

  /** See Outbox. */
  async sendAgain(id: string): Promise<SendAgainAnswer['outcome']> {
    this.#noteEnds();
    const answer = this.outbox.sendAgain(id, this.#fires);
    if (answer.outcome === 'posted' && answer.letter.kind !== 'change') {
      const { items } = answer.letter;
      this.engine.sentAgain({ channel: answer.meantFor, id, items }, this.clock.nowMs());
    }
    await this.#send();
    return answer.outcome;
  }

  /** Whether there was such a dead letter. @param by who discards it */
  async discard(id: string, by: string): Promise<boolean> {
    const dead = this.deadLetters().find(({ letter }) => letter.id === id);
    if (!dead) return false;
    this.outbox.discard(id);
    const timeMs = this.#parts.clock.nowMs();
    this.#events.append(eventsOfDiscard(dead.letter, by, timeMs), timeMs);
    await this.#commit(this.#smallChanges());
    return true;
  }

  reconfigure(config: Config, channels: readonly Channel[]): void {
    this.#config = config;
    this.engine.reconfigure(engineSettingsOf(config), this.clock.nowMs());
    this.outbox.reconfigure(channels);
    this.#adoptOrphans();
  }

  /** Sends what can still be sent in `timeoutMs`; the rest is sent after the next start. */
  async drain(timeoutMs: number): Promise<void> {
    await this.settled();
    await this.outbox.drain(timeoutMs);
  }

  /** Writes down what is known. */
  async close(): Promise<void> {
    this.#cancelEnds?.();
    await this.#within(this.#commit(this.#changes()).then(() => this.#parts.memory.store.close()));
  }

  async #take({ changes, messages }: RoundOutcome, kongChanges: readonly ChangeNotice[] = []): Promise<void> {
    const aheadMs = this.#aheadMs();
    const timeMs = this.#parts.clock.nowMs();
    const told = changes.map((change) => shiftChange(change, aheadMs));
    for (const change of told) this.#log(change);
    // Without any, too: it lets go what is too old.
    this.#events.append(told.flatMap(eventsOfChange), timeMs);
    const evidence = this.#evidenceOnce();
    const notifications = messages.map((message) => this.#notificationOf(message, evidence));
    this.outbox.post([...kongChanges, ...notifications]);
    await this.#sendWith(this.#changes());
  }

  /** For what was posted between two rounds. */
  #send(): Promise<void> {
    return this.#sendWith(this.#smallChanges());
  }

  /** What is posted meanwhile is not among these changes, and waits for those that it is in. */
  async #sendWith(changes: MemoryChanges): Promise<void> {
    const upTo = this.outbox.lastPosted;
    await this.#within(this.#commit(changes));
    this.outbox.release(upTo);
  }

  /** Each channel that takes them is told of each. */
  #kongChanges(): ChangeNotice[] {
    const nowMs = this.#parts.clock.nowMs();
    const changes = this.#configurations.look(this.#parts.kong());
    return changes.flatMap((change) =>
      this.outbox.channelsOfChanges().map((channel) => {
        const seed = JSON.stringify([channel, change.instance, change.after, nowMs]);
        const id = createHash('sha256').update(seed).digest('hex').slice(0, 16);
        const { externalLabels } = this.#config;
        return { id, channel, kind: 'change', ...change, externalLabels, atMs: nowMs, createdMs: nowMs };
      }),
    );
  }

  /** As people tell its times. What cannot be said of an alert is left out: people are told all the same. */
  #notificationOf(message: Message, evidence: (alert: Alert) => Evidence | undefined): Notification {
    const aheadMs = this.#aheadMs();
    const items = message.items.map((item) => ({
      ...item,
      alert: shiftAlert(item.alert, aheadMs),
      atMs: item.atMs + aheadMs,
    }));
    const shifted = { ...message, items, createdMs: message.createdMs + aheadMs };
    try {
      return notificationOf(shifted, this.#config, evidence);
    } catch (error) {
      this.#parts.logger.error({ err: error }, 'a message goes without evidence and links');
      this.#parts.onFault(error);
      return notificationOf(shifted, { ...this.#config, links: DEFAULT_LINKS }, () => undefined);
    }
  }

  /** The evidence of one moment, once for each alert however many channels are told of it. */
  #evidenceOnce(): (alert: Alert) => Evidence | undefined {
    const nowMs = this.clock.nowMs();
    const known = new Map<string, Evidence | undefined>();
    return (alert) => {
      const key = alertKey(alert.rule.name, alert.scope);
      if (!known.has(key)) known.set(key, this.engine.evidenceOf(alert, nowMs));
      return known.get(key);
    };
  }

  #log({ kind, alert, atMs }: AlertChange): void {
    const { rule, scope, verdict, severity } = alert;
    if (kind === 'fired' && this.#config.channels.length === 0) this.#untold += 1;
    this.#parts.logger.warn({ rule: rule.name, scope, severity, verdict, atMs }, `alert ${kind}`);
  }

  #onEnd(end: OutboxEnd): void {
    if (end.delivery) this.#ended.push(end.delivery);
    const timeMs = this.#parts.clock.nowMs();
    this.#events.append(eventsOfEnd(end, timeMs), timeMs);
    this.#parts.onLetterEnd?.(end);
    this.#writeSoon();
  }

  #writeSoon(): void {
    this.#cancelEnds ??= this.#parts.clock.after(ENDS_TOGETHER_MS, () => {
      this.#cancelEnds = undefined;
      void this.#send();
    });
  }

  /** Ends come many at a time, and each alone would have the routing look through all that is under way. */
  #noteEnds(): void {
    if (this.#ended.length > 0) this.engine.deliveriesEnded(this.#ended.splice(0), this.clock.nowMs());
  }

  /** Tells in the log of events of the silences whose time is over since the last round. */
  #endSilences(): void {
    const timeMs = this.#parts.clock.nowMs();
    const ended = this.engine.silences.filter(
      ({ id, endsMs }) => endsMs > this.#silencesToldMs && endsMs <= timeMs && !this.#endsTold.has(id),
    );
    this.#silencesToldMs = Math.max(this.#silencesToldMs, timeMs);
    this.#events.append(
      ended.map((silence) => eventOfSilence('silence_expired', silence, undefined, timeMs)),
      timeMs,
    );
  }

  /** Waits for the disk, but not for ever. */
  #within(written: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(MOST_COMMIT_WAIT_MS, resolve);
      void written.then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Never rejects: what the disk does not take waits, and alerting goes on. */
  #commit(changes: MemoryChanges): Promise<void> {
    const { store } = this.#parts.memory;
    const hadFault = store.fault !== undefined;
    this.#turn = store.commit(changes).catch((error: unknown) => {
      if (hadFault) return;
      this.#parts.logger.error(
        { err: error },
        "the alerts' memory cannot be written; alerting goes on, and a restart would begin with what is on disk",
      );
    });
    return this.#turn;
  }

  /** All that a round may have changed. The time is written with the windows, which are whole up to it. */
  #changes(): MemoryChanges {
    this.#alerts.set(this.engine.book.alerts());
    const clockRecord = { steadyMs: this.clock.nowMs(), wallMs: this.#parts.clock.nowMs() };
    return joinChanges([
      { puts: [{ key: MEMORY_KEYS.clock, value: clockRecord }], deletes: [] },
      this.#windowMemory.takeDirty(),
      this.#alerts.takeDirty(),
      this.#configurations.takeDirty(),
      this.#smallChanges(),
    ]);
  }

  /** What may change between two rounds. */
  #smallChanges(): MemoryChanges {
    this.#noteEnds();
    this.#silences.set(this.engine.silences);
    const { routeState } = this.engine;
    const isNew = routeState !== this.#writtenRoute;
    this.#writtenRoute = routeState;
    const puts = isNew ? [{ key: MEMORY_KEYS.route, value: writeRouteState(routeState) }] : [];
    return joinChanges([
      { puts, deletes: [] },
      this.#silences.takeDirty(),
      this.outbox.takeDirty(),
      this.engine.standing.takeDirty(),
      this.#events.takeDirty(),
    ]);
  }

  #restore(nowMs: number, stoppedWallMs: number | undefined): void {
    const { memory, logger, producersAliveAt, config } = this.#parts;
    const { entries } = memory;
    const own = (prefix: string): [string, unknown][] =>
      [...entries]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]): [string, unknown] => [key.slice(prefix.length), value])
        .sort(([a], [b]) => (a < b ? -1 : 1));
    let unreadable = memory.unreadable + this.#events.restore(entries);
    for (const event of this.#events.list({ kind: 'silence_expired', limit: Infinity }).events)
      if ('silenceId' in event) this.#endsTold.add(event.silenceId);
    const slots = [...entries].filter(([key]) => key.startsWith(MEMORY_KEYS.window));
    const windows = this.#windowMemory.restore(
      slots.map(([key, value]) => ({ key, value })),
      nowMs,
    );
    unreadable += windows.unreadable;
    if (windows.savedMs !== undefined && stoppedWallMs !== undefined) {
      const { known } = this.engine.windows;
      known.openGap(windows.savedMs, nowMs, producersAliveAt(stoppedWallMs));
      // What was counted after the last commit is in no window, and nobody delivers it again.
      const countedLateMs = Math.min(this.#parts.lastBatchMs - stoppedWallMs, nowMs - windows.savedMs);
      known.openGap(windows.savedMs, windows.savedMs + countedLateMs, []);
    }

    const { alerts, unreadable: lostAlerts } = this.#alerts.restore(own(MEMORY_KEYS.alert), config.rules);
    const { silences, unreadable: lostSilences } = this.#silences.restore(own(MEMORY_KEYS.silence));
    this.engine.standing.restore(entries.get(MEMORY_KEYS.standing));
    this.#configurations.restore(entries.get(MEMORY_KEYS.kongConfiguration));
    const written = entries.get(MEMORY_KEYS.route);
    const route = written === undefined ? undefined : readRouteState(written, config.rules, nowMs);
    this.engine.restore(alerts, route?.state ?? EMPTY_ROUTE_STATE, silences);
    const waiting = this.outbox.restore(own, config.rules);
    unreadable += lostAlerts + lostSilences + (route?.unreadable ?? 0) + waiting.unreadable;
    if (unreadable > 0)
      logger.error({ unreadable }, "parts of the alerts' memory could not be read, and begin anew");
    const ids = new Set(waiting.origins.map(({ id }) => id));
    this.engine.deliveriesEnded(this.engine.lostDeliveries(ids), nowMs);
    this.#adoptOrphans();
    this.outbox.release();
  }

  /** Whoever stood in for a channel that is gone is told by itself how its alerts go on. */
  #adoptOrphans(): void {
    for (const { channel, alertKeys } of this.outbox.orphans())
      this.engine.adopt(channel, alertKeys, this.clock.nowMs());
  }
}

function readClockRecord(value: unknown): { steadyMs: number; wallMs: number } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { steadyMs, wallMs } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(steadyMs) || !Number.isSafeInteger(wallMs)) return undefined;
  return { steadyMs: Number(steadyMs), wallMs: Number(wallMs) };
}
