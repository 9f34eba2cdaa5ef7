// What a message that did not arrive leaves behind. A round notes as told what it sends; where the delivery then fails, the channel
// knows what it knew before, and the next round's difference tells it again, if it still holds, with what is true then.
// A message whose end nobody tells counts as arrived.
import type { ChannelState, Failed, Knowledge, RouteState, Told, Underway } from './route-state';

/** After a delivery that expired or was dropped: a channel that takes nothing is not asked in every round. */
export const RETELL_MS = 300_000;

/** After one that was refused: the same again hardly succeeds before somebody mends it. See also `retellAtOnce`. */
export const RETELL_REFUSED_MS = 3_600_000;

/** So long after its end it is told that an alert is over; never for ever, since nobody may be there to listen. */
export const MOST_RETOLD_END_MS = 86_400_000;

/** Longer than a delivery takes: an hour, the longest deadline, on a channel and on each of three fallbacks, and their last tries. */
export const MOST_UNDERWAY_MS = 5 * 3_600_000;

export interface Delivery {
  readonly channel: string;
  /** Of the message. */
  readonly id: string;
  readonly how: 'sent' | 'refused' | 'expired' | 'dropped';
}

/** The channel with these messages on their way, and without those that are so no longer; the same where nothing changed. */
export function withUnderway(
  before: ChannelState,
  sent: readonly (readonly [string, Underway])[],
  nowMs: number,
): ChannelState {
  const [oldest] = before.underway.values();
  const isOld = ({ sentMs }: Underway): boolean => sentMs < nowMs - MOST_UNDERWAY_MS;
  if (sent.length === 0 && !(oldest && isOld(oldest))) return before;
  const kept = [...before.underway].filter(([, message]) => !isOld(message));
  return { ...before, underway: new Map([...kept, ...sent]) };
}

/** After a message has ended, whether it arrived or not. @param nowMs on the clock of the rounds */
export function deliveryEnded(state: RouteState, { channel, id, how }: Delivery, nowMs: number): RouteState {
  const before = state.channels.get(channel);
  const message = before?.underway.get(id);
  if (!before || !message) return state;
  const after = how === 'sent' ? arrived(before, id) : takenBack(state, before, id, message, how, nowMs);
  return { ...state, channels: new Map([...state.channels, [channel, after]]) };
}

/** For a reload, which may have mended a channel: what did not arrive is told again in the next round. */
export function retellAtOnce(state: RouteState): RouteState {
  const channels = [...state.channels].map(([name, channel]): [string, ChannelState] => {
    const notes = [...channel.notes]
      .filter(([, { sent, gathered }]) => sent !== undefined || gathered !== undefined)
      .map(([key, note]) => [key, { ...note, failed: undefined }] as const);
    return [name, { ...channel, notes: new Map(notes) }];
  });
  return { ...state, channels: new Map(channels) };
}

/**
 * Messages on their way that nobody delivers any more, as after a start that could not read what was waiting.
 * @param waiting ids of those that are delivered
 */
export function lostDeliveries(state: RouteState, waiting: ReadonlySet<string>): Delivery[] {
  return [...state.channels].flatMap(([channel, { underway }]) =>
    [...underway.keys()]
      .filter((id) => !waiting.has(id))
      .map((id): Delivery => ({ channel, id, how: 'dropped' })),
  );
}

/** Whether what failed is not to be told again yet. What is not the same as what failed does not wait. */
export function isToWait({ knows, untilMs }: Failed, next: Knowledge | undefined, nowMs: number): boolean {
  return nowMs < untilMs && isSameNews(knows, next);
}

function isSameNews(a: Knowledge | undefined, b: Knowledge | undefined): boolean {
  return (
    a?.startedMs === b?.startedMs && a?.severity === b?.severity && a?.acknowledgedMs === b?.acknowledgedMs
  );
}

/** What older messages, still on their way to a fallback, tell of the same alerts is old news: their end changes nothing more. */
function arrived(channel: ChannelState, id: string): ChannelState {
  const underway = new Map(channel.underway);
  const keys = new Set(underway.get(id)?.told.map(({ key }) => key));
  for (const [olderId, older] of channel.underway) {
    if (olderId === id) break;
    const told = older.told.filter(({ key }) => !keys.has(key));
    if (told.length < older.told.length) underway.set(olderId, { ...older, told });
  }
  underway.delete(id);
  return { ...channel, underway };
}

function takenBack(
  { ends }: RouteState,
  before: ChannelState,
  id: string,
  message: Underway,
  how: Delivery['how'],
  nowMs: number,
): ChannelState {
  const notes = new Map(before.notes);
  const underway = new Map(before.underway);
  const behind = tellingsBehind(underway, id);
  underway.delete(id);
  const untilMs = nowMs + (how === 'refused' ? RETELL_REFUSED_MS : RETELL_MS);
  const failed = new Map<string, Failed>();
  for (const { key, knew, knows } of [...message.told].reverse()) {
    const next = behind.get(key);
    const waiting = next && underway.get(next.id);
    if (waiting) {
      // What comes behind it decides.
      const told = waiting.told.map((one, index): Told => (index === next.index ? { ...one, knew } : one));
      underway.set(next.id, { ...waiting, told });
      continue;
    }
    const own = failed.get(key) ?? { knows, untilMs };
    failed.set(key, own);
    const endedMs = ends.get(key)?.atMs ?? -Infinity;
    if (knows === undefined && nowMs - endedMs >= MOST_RETOLD_END_MS) continue;
    notes.set(key, { sent: knew, gathered: notes.get(key)?.gathered, failed: own });
  }
  return { ...before, notes, underway, leftOut: before.leftOut + message.leftOut };
}

/** Where in the messages behind this one each alert is told of next. */
function tellingsBehind(
  underway: ReadonlyMap<string, Underway>,
  id: string,
): Map<string, { readonly id: string; readonly index: number }> {
  const behind = new Map<string, { readonly id: string; readonly index: number }>();
  const ids = [...underway.keys()];
  for (const other of ids.slice(ids.indexOf(id) + 1))
    underway.get(other)?.told.forEach(({ key }, index) => {
      if (!behind.has(key)) behind.set(key, { id: other, index });
    });
  return behind;
}
