// The heart of routing: from the alerts of a round to the messages that each channel is sent. Ask what a channel was told,
// send the difference, remember it; nothing else makes a message, but repeats of what still fires.
// Pure: the state, the time and all that counts are values. Where nothing changed the state is the same object.
import type { NotificationPolicy } from '../config/notification-policy';
import type { ActiveAlert } from './active-alert';
import { activityOf, type Activity, type ActivityInput } from './active-alerts';
import { withUnderway } from './delivery';
import { holdingAt } from './holding';
import type { Message } from './message';
import { routeChannel, type Round } from './route-channel';
import { NEW_CHANNEL, type ChannelState, type End, type RouteState, type Underway } from './route-state';
import { writeMessage } from './write-message';

export interface RouteInput extends ActivityInput {
  readonly policy: NotificationPolicy;
  /** The names of the channels that there are. What others were told is forgotten. */
  readonly channels: readonly string[];
}

export interface Routed {
  readonly state: RouteState;
  /** In the order in which they must reach each channel. */
  readonly messages: readonly Message[];
}

/** One round. */
export function route(before: RouteState, input: RouteInput): Routed {
  const { policy, nowMs, aheadMs } = input;
  const activity = activityOf(before, input);
  const round: Round = {
    ...activity,
    policy,
    holding: holdingAt(policy, nowMs + aheadMs),
    firingOf: firingOf(activity),
    nowMs,
  };
  const channels = new Map<string, ChannelState>();
  const messages: Message[] = [];
  for (const name of new Set(input.channels)) {
    const routed = routeChannel(name, before.channels.get(name) ?? NEW_CHANNEL, round);
    const sent: [string, Underway][] = [];
    for (const { told, ...draft } of routed.messages) {
      const number = before.nextMessage + messages.length;
      const message = writeMessage({ ...draft, channel: name, createdMs: nowMs }, number);
      messages.push(message);
      const leftOut = message.repeat > 0 ? 0 : message.leftOut;
      if (told.length > 0) sent.push([message.id, { sentMs: nowMs, told, leftOut }]);
    }
    const state = withUnderway(routed.state, sent, nowMs);
    if (state !== NEW_CHANNEL) channels.set(name, state);
  }
  const areSame =
    channels.size === before.channels.size &&
    [...channels].every(([name, state]) => before.channels.get(name) === state);
  const ends = endsStillNeeded(activity.ends, channels);
  if (areSame && activity.runs === before.runs && isSameMap(ends, before.ends))
    return { state: before, messages };
  return {
    state: { channels, runs: activity.runs, ends, nextMessage: before.nextMessage + messages.length },
    messages,
  };
}

/** Counted when somebody asks: most rounds have no message. */
function firingOf({ active }: Activity): (groupKey: string) => number {
  let firing: Map<string, number> | undefined;
  return (groupKey) => {
    firing ??= countedByGroup(active.values());
    return firing.get(groupKey) ?? 0;
  };
}

function countedByGroup(alerts: Iterable<ActiveAlert>): Map<string, number> {
  const counted = new Map<string, number>();
  for (const { group } of alerts) counted.set(group.key, (counted.get(group.key) ?? 0) + 1);
  return counted;
}

/** Those of alerts that some channel has a note of, or is on its way to be told of. */
function endsStillNeeded(
  ends: ReadonlyMap<string, End>,
  channels: ReadonlyMap<string, ChannelState>,
): ReadonlyMap<string, End> {
  if (ends.size === 0) return ends;
  const needed = new Set<string>();
  for (const { notes, underway } of channels.values()) {
    for (const key of notes.keys()) needed.add(key);
    for (const { told } of underway.values()) for (const { key } of told) needed.add(key);
  }
  return new Map([...ends].filter(([key]) => needed.has(key)));
}

function isSameMap<Value>(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): boolean {
  return a === b || (a.size === b.size && [...a].every(([key, value]) => b.get(key) === value));
}
