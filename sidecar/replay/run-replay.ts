// Runs the engine over the past, on the time of the past: what came is taken in when it was known, and the rules are judged at every
// interval from the first moment to the last. In: the past, rules and who is told. Out: what would have happened. Nothing is sent.
// Kong is not watched, since nobody wrote down how it was. Nothing is known of the time before the first moment.
import type { NotificationPolicy } from '../config/notification-policy';
import { variantsOf, type Rule } from '../config/rule';
import { formatDuration } from '../config/duration';
import { Engine } from '../engine';
import { isKongRule } from '../rule/judge-kong';
import { PastFault, type Past, type PastEvent } from './past';
import {
  ReplayTally,
  type AlertmanagerCount,
  type AlertRun,
  type ChannelCount,
  type RuleCount,
} from './replay-tally';

export interface ReplaySettings {
  readonly rules: readonly Rule[];
  readonly policy: NotificationPolicy;
  /** The names of those that the routing decides for. */
  readonly channels: readonly string[];
  /** The names of those that are told of everything, and decide themselves. */
  readonly alertmanagers: readonly string[];
  readonly intervalMs: number;
}

export interface ReplayReport {
  /** The first moment and the last, Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly intervalMs: number;
  readonly rounds: number;
  readonly requests: number;
  readonly rules: readonly RuleCount[];
  readonly channels: readonly ChannelCount[];
  readonly alertmanagers: readonly AlertmanagerCount[];
  /** In the order in which they fired. */
  readonly runs: readonly AlertRun[];
  /** What could not be seen, in sentences. */
  readonly unseen: readonly string[];
}

/** How far it is: the share of the past that was read, and the time that it has reached, Unix ms. */
export type OnProgress = (share: number, atMs: number) => void;

/** The name that stands for the channels where there are none. */
export const ANY_CHANNEL = '(no channel)';

/** Often enough for a bar to move. */
const ROUNDS_BETWEEN_PROGRESS = 100;

/** @throws PastFault where the past cannot be read or there is none */
export async function runReplay(
  past: Past,
  wanted: ReplaySettings,
  onProgress: OnProgress = () => undefined,
): Promise<ReplayReport> {
  const settings = withChannel(wanted);
  const { rules, policy, channels, alertmanagers, intervalMs } = settings;
  const tally = new ReplayTally(policy, rules, channels, alertmanagers);
  let run: { readonly engine: Engine; readonly fromMs: number } | undefined;
  let [dueMs, toMs, rounds, requests] = [0, 0, 0, 0];

  const judgeUpTo = (engine: Engine, ms: number): void => {
    for (; dueMs <= ms; dueMs += intervalMs) {
      const nowMs = dueMs;
      tally.take(engine.round(nowMs, 0), {
        routeState: engine.routeState,
        muteReasons: () => engine.muteReasons(nowMs, 0),
      });
      rounds += 1;
      if (rounds % ROUNDS_BETWEEN_PROGRESS === 0) onProgress(past.progress(), nowMs);
    }
  };

  for await (const event of past.events()) {
    const { knownMs } = event;
    if (run === undefined) {
      run = {
        engine: new Engine({ rules, policy, channels, standing: [], hasKong: false }, knownMs),
        fromMs: knownMs,
      };
      dueMs = knownMs + intervalMs;
    }
    // What is known at the time of a round is in it.
    judgeUpTo(run.engine, knownMs - 1);
    requests += takeIn(run.engine, event);
    toMs = knownMs;
  }
  if (run === undefined) throw new PastFault('there is nothing in the past to run the rules over');
  judgeUpTo(run.engine, toMs);
  onProgress(1, toMs);
  const { fromMs } = run;
  return {
    fromMs,
    toMs,
    intervalMs,
    rounds,
    requests,
    rules: tally.rules(toMs),
    channels: tally.channels(),
    alertmanagers: tally.alertmanagers(),
    runs: tally.runs(),
    unseen: [...unseenOf(wanted, fromMs, toMs), ...past.unseen()],
  };
}

/** How many requests. */
function takeIn({ windows }: Engine, { knownMs, placed, gap, delivered, delivery }: PastEvent): number {
  let requests = 0;
  for (const { atMs, deltas } of placed) {
    windows.add(atMs, deltas, knownMs);
    for (const delta of deltas) requests += delta.requests;
  }
  if (delivered !== undefined) windows.known.delivered(delivered);
  if (delivery) windows.known.received(delivery, knownMs);
  if (gap) windows.known.openGap(gap.fromMs, gap.toMs, gap.producers);
  return requests;
}

/** With its overrides. */
function looksBackMs(rule: Rule): number {
  return Math.max(
    ...variantsOf(rule).map(
      (variant) => variant.windowMs + ('baselineMs' in variant ? variant.baselineMs : 0),
    ),
  );
}

function areAny({ channels, alertmanagers }: ReplaySettings): boolean {
  return channels.length + alertmanagers.length > 0;
}

/** Without any, one takes their place: what it would be told is what people would be. */
function withChannel(settings: ReplaySettings): ReplaySettings {
  if (areAny(settings)) return settings;
  const { policy } = settings;
  const escalation = policy.escalation.map((step) => ({ ...step, channels: [ANY_CHANNEL] }));
  return { ...settings, channels: [ANY_CHANNEL], policy: { ...policy, escalation } };
}

function unseenOf(settings: ReplaySettings, fromMs: number, toMs: number): string[] {
  const { rules } = settings;
  const ofKong = rules.filter(isKongRule).map(({ name }) => name);
  const others = rules.filter((rule) => !isKongRule(rule));
  const longestMs = Math.max(0, ...others.map(looksBackMs));
  const far = others.filter((rule) => looksBackMs(rule) > (toMs - fromMs) / 4).map(({ name }) => name);
  return [
    ...(ofKong.length === 0
      ? []
      : [`Rules about Kong were not judged, since nobody wrote down how Kong was: ${ofKong.join(', ')}.`]),
    ...(far.length === 0
      ? []
      : [
          `Nothing is known of the time before the first moment, and rules look back up to ${formatDuration(longestMs)}: ` +
            `${far.join(', ')} ${far.length === 1 ? 'sees' : 'see'} less at the beginning than the sidecar did.`,
        ]),
    ...(areAny(settings)
      ? []
      : [`There are no channels: what anybody would be sent is told of ${ANY_CHANNEL}.`]),
    'Nobody acknowledged or silenced anything, so alerts escalate and repeat to the end.',
  ];
}
