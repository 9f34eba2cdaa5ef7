// What a message that did not arrive leaves behind. A round notes as told what it sends; where the delivery then fails, the channel
// knows what it knew before, and the next round's difference tells it again, if it still holds, with what is true then.
// A message whose end nobody tells counts as arrived.
import type { ChannelState, Failed, Knowledge, Note, RouteState, Told, Underway } from './route-state';

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
  /** Keys of alerts that it told of and that did not arrive though it was sent: only another channel has taken it. */
  readonly untold?: readonly string[];
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

/** After messages have ended, whether they arrived or not, in that order. @param nowMs on the clock of the rounds */
export function deliveriesEnded(state: RouteState, ended: readonly Delivery[], nowMs: number): RouteState {
  const noted = new Map<string, Noted>();
  for (const { channel: name, id, how, untold = [] } of ended) {
    const before = state.channels.get(name);
    if (!before?.underway.has(id)) continue;
    const channel = noted.get(name) ?? new Noted(before);
    noted.set(name, channel);
    if (how !== 'sent') channel.takenBack(id, how, state.ends, nowMs);
    else if (untold.length === 0) channel.arrived(id);
    else channel.partlyArrived(id, new Set(untold), state.ends, nowMs);
  }
  if (noted.size === 0) return state;
  const changed = [...noted].map(([name, channel]) => [name, channel.state] as const);
  return { ...state, channels: new Map([...state.channels, ...changed]) };
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

/** A channel while ends are noted: copied once however many there are, since they come many at a time. */
class Noted {
  readonly #before: ChannelState;
  readonly #underway: Map<string, Underway>;
  readonly #notes: Map<string, Note>;
  /** Key of an alert -> the messages that tell of it, in their order. */
  readonly #tellings = new Map<string, string[]>();
  #leftOut: number;

  constructor(before: ChannelState) {
    this.#before = before;
    this.#underway = new Map(before.underway);
    this.#notes = new Map(before.notes);
    this.#leftOut = before.leftOut;
    for (const [id, { told }] of before.underway)
      for (const { key } of told) {
        const ids = this.#tellings.get(key);
        if (ids) ids.push(id);
        else this.#tellings.set(key, [id]);
      }
  }

  get state(): ChannelState {
    return {
      ...this.#before,
      notes: this.#notes,
      underway: this.#underway,
      leftOut: this.#leftOut,
    };
  }

  /** What older messages, still on their way to a fallback, tell of the same alerts is old news: their end changes nothing more. */
  arrived(id: string): void {
    for (const { key } of this.#underway.get(id)?.told ?? [])
      for (const olderId of this.#others(key, id).older) {
        const older = this.#underway.get(olderId);
        if (older)
          this.#underway.set(olderId, { ...older, told: older.told.filter((one) => one.key !== key) });
      }
    this.#underway.delete(id);
  }

  /** @param untold keys of the alerts of which nothing arrived */
  partlyArrived(id: string, untold: ReadonlySet<string>, ends: RouteState['ends'], nowMs: number): void {
    const message = this.#underway.get(id);
    if (!message) return;
    const part = (isUntold: boolean): Underway => ({
      ...message,
      told: message.told.filter(({ key }) => untold.has(key) === isUntold),
    });
    this.#underway.set(id, part(false));
    this.arrived(id);
    this.#underway.set(id, { ...part(true), leftOut: 0 });
    this.takenBack(id, 'expired', ends, nowMs);
  }

  takenBack(id: string, how: Delivery['how'], ends: RouteState['ends'], nowMs: number): void {
    const message = this.#underway.get(id);
    if (!message) return;
    this.#underway.delete(id);
    this.#leftOut += message.leftOut;
    const untilMs = nowMs + (how === 'refused' ? RETELL_REFUSED_MS : RETELL_MS);
    const failed = new Map<string, Failed>();
    for (const { key, knew, knows } of [...message.told].reverse()) {
      const [nextId] = this.#others(key, id).newer;
      const next = nextId === undefined ? undefined : this.#underway.get(nextId);
      if (nextId !== undefined && next) {
        // What comes behind it decides.
        const first = next.told.findIndex((one) => one.key === key);
        const told = next.told.map((one, index): Told => (index === first ? { ...one, knew } : one));
        this.#underway.set(nextId, { ...next, told });
        continue;
      }
      const own = failed.get(key) ?? { knows, untilMs };
      failed.set(key, own);
      const endedMs = ends.get(key)?.atMs ?? -Infinity;
      if (knows === undefined && nowMs - endedMs >= MOST_RETOLD_END_MS) continue;
      this.#notes.set(key, { sent: knew, gathered: this.#notes.get(key)?.gathered, failed: own });
    }
  }

  /** The messages still on their way that tell of the same alert, before and behind this one. */
  #others(key: string, id: string): { readonly older: string[]; readonly newer: string[] } {
    const ids = this.#tellings.get(key) ?? [];
    const tells = (other: string): boolean =>
      other !== id && (this.#underway.get(other)?.told.some((one) => one.key === key) ?? false);
    return {
      older: ids.slice(0, ids.indexOf(id)).filter(tells),
      newer: ids.slice(ids.lastIndexOf(id) + 1).filter(tells),
    };
  }
}
