// The whole of alerting, joined, without a clock, a disk or a network of its own: deltas and Kong's facts in, messages out. The
// sidecar runs it on time as it passes, a replay on time that has passed.
// It lives on a steady clock (Unix ms that goes on evenly); `aheadMs` is how far the clock that people have is ahead of it.
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { isActive, type Alert } from './alert/alert';
import { AlertBook, type Subjects } from './alert/alert-book';
import type { AlertChange } from './alert/alert-change';
import { alertKey } from './alert/alert-key';
import { isAboutLatency } from './config/about-latency';
import type { NotificationPolicy } from './config/notification-policy';
import type { Rule, ScopeLevel } from './config/rule';
import type { KongFacts } from './kong/kong-facts';
import { isKongRule, isOfWatchedKong, judgeKong } from './rule/judge-kong';
import { judgeWindows } from './rule/judge';
import { alertLabels } from './route/alert-labels';
import { deliveriesEnded, lostDeliveries, retellAtOnce, type Delivery } from './route/delivery';
import type { Message } from './route/message';
import { muteReasons, type MuteReasons } from './route/mute-reasons';
import { EMPTY_ROUTE_STATE, type RouteState } from './route/route-state';
import { route } from './route/router';
import { withoutHidden } from './route/run';
import { adopt } from './route/adopt';
import { sentAgain, type SentAgain } from './route/sent-again';
import { StandingBook, type StandingChannel } from './route/standing-book';
import type { Silence } from './route/silence';
import {
  createSilence,
  expireSilence,
  forgetSilences,
  type SilenceFault,
  type SilenceRequest,
} from './route/silence-book';
import { evidenceOf, type Evidence } from './window/evidence';
import { evidenceMsOf, isEvidenceCut } from './window/evidence-span';
import { GATEWAY, type Scope } from './window/scope';
import { ScopeWindows } from './window/scope-windows';
import { needsOf } from './window/window-needs';

export interface EngineSettings {
  readonly rules: readonly Rule[];
  readonly policy: NotificationPolicy;
  /** The names of the channels that there are. */
  readonly channels: readonly string[];
  /** Those that are told of the state of all alerts again and again. */
  readonly standing: readonly StandingChannel[];
  /** Whether there is a Kong to watch; without one its rules are not judged. */
  readonly hasKong: boolean;
}

export interface RoundOutcome {
  readonly changes: readonly AlertChange[];
  /** In the order in which they must reach each channel. */
  readonly messages: readonly Message[];
}

export type AcknowledgeOutcome =
  | (RoundOutcome & { readonly outcome: 'acknowledged'; readonly alert: Alert })
  | { readonly outcome: 'already_acknowledged' | 'not_firing'; readonly alert: Alert }
  | { readonly outcome: 'not_found' };

const NO_KONG: KongFacts = { instances: [], observed: () => undefined };

export class Engine {
  readonly windows: ScopeWindows;
  readonly book = new AlertBook();
  #settings: EngineSettings;
  #rules: readonly Rule[];
  readonly #kong: () => KongFacts;
  #routeState: RouteState = EMPTY_ROUTE_STATE;
  #silences: readonly Silence[] = [];
  readonly #standing = new StandingBook();

  /** @param startedMs Unix ms on the steady clock */
  constructor(settings: EngineSettings, startedMs: number, kong: () => KongFacts = () => NO_KONG) {
    this.#settings = settings;
    this.#rules = inForce(settings);
    this.#kong = kong;
    this.windows = new ScopeWindows(needsOf(this.#rules), startedMs);
  }

  get routeState(): RouteState {
    return this.#routeState;
  }

  get silences(): readonly Silence[] {
    return this.#silences;
  }

  /** For a reload: holds from the next round on. */
  reconfigure(settings: EngineSettings, nowMs: number): void {
    const isSame = isDeepStrictEqual(this.#settings.policy.inhibitions, settings.policy.inhibitions);
    this.#settings = settings;
    this.#rules = inForce(settings);
    this.windows.reconfigure(needsOf(this.#rules), nowMs);
    // What was refused may have been corrected just now.
    this.#routeState = retellAtOnce(this.#routeState);
    if (!isSame) this.#routeState = withoutHidden(this.#routeState);
  }

  /** What channels that keep the state themselves were told. */
  get standing(): StandingBook {
    return this.#standing;
  }

  /** What an earlier process knew. Before the first round. */
  restore(alerts: Iterable<Alert>, routeState: RouteState, silences: readonly Silence[]): void {
    this.book.restore(alerts);
    this.#routeState = routeState;
    this.#silences = silences;
  }

  /** Judges every rule, and finds out who is to be told of what. A round that throws changes nothing that people are told. */
  round(nowMs: number, aheadMs: number): RoundOutcome {
    this.windows.advance(nowMs);
    const changes = this.book.evaluateRound(this.#rules, this.#subjects(nowMs), nowMs);
    this.#silences = forgetSilences(this.#silences, nowMs + aheadMs);
    return { changes, messages: this.#route(changes, nowMs, aheadMs) };
  }

  /** Some messages have ended: what did not arrive is told again, some time later. @param nowMs Unix ms */
  deliveriesEnded(deliveries: readonly Delivery[], nowMs: number): void {
    this.#routeState = deliveriesEnded(this.#routeState, deliveries, nowMs);
  }

  /** Whether an alert fires, or is acknowledged. @param key see alertKey */
  fires(key: string): boolean {
    return this.#routeState.runs.has(key);
  }

  /** A message that did not arrive is on its way again. @param nowMs Unix ms */
  sentAgain(message: SentAgain, nowMs: number): void {
    this.#routeState = sentAgain(this.#routeState, message, nowMs);
  }

  /** A channel that stood in for another counts as told of what of this fires. @param nowMs Unix ms */
  adopt(channel: string, alertKeys: readonly string[], nowMs: number): void {
    this.#routeState = adopt(this.#routeState, channel, alertKeys, nowMs);
  }

  /** Messages on their way that nobody waits to send any more. @param waiting the ids of those that somebody does */
  lostDeliveries(waiting: ReadonlySet<string>): Delivery[] {
    return lostDeliveries(this.#routeState, waiting);
  }

  /** @param id see alertId */
  acknowledge(id: string, by: string, comment: string, nowMs: number, aheadMs: number): AcknowledgeOutcome {
    const answer = this.book.acknowledge(id, by, comment, nowMs);
    if (answer.outcome !== 'acknowledged') return answer;
    const changes = [answer.change];
    return { ...answer, changes, messages: this.#route(changes, nowMs, aheadMs) };
  }

  /** @param timeMs Unix ms on the clock that people have */
  silence(request: SilenceRequest, timeMs: number): Silence | { readonly faults: readonly SilenceFault[] } {
    const answer = createSilence(this.#silences, request, randomBytes(8).toString('hex'), timeMs);
    if ('faults' in answer) return answer;
    this.#silences = answer.silences;
    return answer.silence;
  }

  /** The silence as it has ended; `undefined` where there is none to end. */
  expire(id: string, timeMs: number): Silence | undefined {
    const silences = expireSilence(this.#silences, id, timeMs);
    if (silences === undefined) return undefined;
    this.#silences = silences;
    return silences.find((silence) => silence.id === id);
  }

  /** Why alerts that fire are not told of now, by their key. */
  muteReasons(nowMs: number, aheadMs: number): ReadonlyMap<string, MuteReasons> {
    const firing = [...this.book.alerts()].filter(isActive).map((alert) => ({
      key: alertKey(alert.rule.name, alert.scope),
      labels: alertLabels(alert),
      severity: alert.severity,
    }));
    const reasons = new Map(muteReasons(this.#settings.policy, this.#silences, firing, nowMs + aheadMs));
    for (const { key } of firing) {
      const by = this.#routeState.runs.get(key)?.hidden?.by;
      if (by !== undefined && !reasons.has(key))
        reasons.set(key, { silences: [], maintenance: [], inhibitedBy: by });
    }
    return reasons;
  }

  /** Keys of alerts of which something waits for the next digest, or for the end of the quiet hours. */
  gathered(): ReadonlySet<string> {
    const channels = [...this.#routeState.channels.values()];
    return new Set(channels.flatMap(({ gathered }) => gathered.map(({ key }) => key)));
  }

  /** Where it fails and how; `undefined` of what is not about requests. */
  evidenceOf({ rule, scope, verdict }: Alert, nowMs: number): Evidence | undefined {
    const lastMs = evidenceMsOf(rule, verdict.windows);
    if (lastMs === 0) return undefined;
    const by = isAboutLatency(rule) ? 'latency' : 'errors';
    const evidence = evidenceOf(this.windows, scope, lastMs, nowMs, { by });
    return isEvidenceCut(rule, verdict.windows) ? { ...evidence, lastMs } : evidence;
  }

  #route(changes: readonly AlertChange[], nowMs: number, aheadMs: number): readonly Message[] {
    const { policy, channels } = this.#settings;
    const alerts = [...this.book.alerts()].filter((alert) => isActive(alert) || alert.state === 'resolved');
    const silences = this.#silences;
    const routed = route(this.#routeState, { policy, channels, alerts, changes, silences, nowMs, aheadMs });
    this.#routeState = routed.state;
    return [...routed.messages, ...this.#tellStanding(changes, nowMs, aheadMs)];
  }

  #tellStanding(changes: readonly AlertChange[], nowMs: number, aheadMs: number): readonly Message[] {
    const { standing } = this.#settings;
    const muted = standing.length === 0 ? undefined : this.muteReasons(nowMs, aheadMs);
    const isMuted = (key: string): boolean => {
      const reasons = muted?.get(key);
      return reasons !== undefined && reasons.silences.length + reasons.maintenance.length > 0;
    };
    return this.#standing.round({ channels: standing, alerts: this.book.alerts(), changes, isMuted, nowMs });
  }

  #subjects(nowMs: number): Subjects {
    const facts = this.#kong();
    return {
      scopes: (level) => this.#scopes(level, facts),
      isWatched: (scope) => isOfWatchedKong(scope, facts),
      judge: (rule, scope) => {
        if (isKongRule(rule)) return judgeKong(rule, scope, facts);
        const countsWarnings = rule.match.errorType !== undefined;
        return judgeWindows(rule, this.windows.view(scope, nowMs, { countsWarnings }));
      },
    };
  }

  #scopes(level: ScopeLevel, { instances }: KongFacts): Iterable<Scope> {
    switch (level) {
      case 'gateway':
        return [GATEWAY];
      case 'instance':
        return instances.map(({ instance }) => ({ level, instance }));
      case 'target':
        return instances.flatMap(({ instance, targets }) =>
          targets.map(({ upstream, target }) => ({ level, instance, upstream, target })),
        );
      default:
        return this.windows.scopes(level);
    }
  }
}

/** Without a Kong to watch, a rule about it could never tell anything. */
function inForce({ rules, hasKong }: EngineSettings): readonly Rule[] {
  return hasKong ? rules : rules.filter((rule) => !isKongRule(rule));
}
