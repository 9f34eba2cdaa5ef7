// A message of an earlier round that did not arrive is on its way again: its channel counts as told of what of it still fires, as if
// this round had told it, so that it is told the end too. Where it does not arrive again that is taken back like any other.
import { severityRank } from '../../kong-plugin/contract/severity';
import { withUnderway } from './delivery';
import { worse } from './difference';
import type { MessageItem } from './message';
import { NEW_CHANNEL, NO_NOTE, type Knowledge, type Note, type RouteState, type Told } from './route-state';

export interface SentAgain {
  readonly channel: string;
  /** Of the message. */
  readonly id: string;
  readonly items: readonly (MessageItem & { readonly alertKey: string })[];
}

/** @param nowMs on the clock of the rounds */
export function sentAgain(state: RouteState, { channel, id, items }: SentAgain, nowMs: number): RouteState {
  const before = state.channels.get(channel) ?? NEW_CHANNEL;
  const notes = new Map(before.notes);
  const told: Told[] = [];
  for (const { alertKey: key, alert, occasion } of items) {
    const run = state.runs.get(key);
    if (!run || occasion === 'resolved') continue;
    const { severity } = alert;
    const note: Note = notes.get(key) ?? NO_NOTE;
    const knew = note.sent;
    const isSameRun = knew?.startedMs === run.startedMs;
    // It was told of the same later, and knows as much.
    if (isSameRun && severityRank(knew.severity) >= severityRank(severity)) continue;
    const worst = worse(severity, isSameRun ? knew.worst : undefined);
    const acknowledgedMs = alert.acknowledgement && run.alert.acknowledgement?.atMs;
    const knows: Knowledge = { severity, worst, startedMs: run.startedMs, acknowledgedMs, timeMs: nowMs };
    told.push({ key, knew, knows });
    notes.set(key, { ...note, sent: knows, failed: undefined });
  }
  if (told.length === 0) return state;
  const underway = withUnderway({ ...before, notes }, [[id, { sentMs: nowMs, told, leftOut: 0 }]], nowMs);
  return { ...state, channels: new Map([...state.channels, [channel, underway]]) };
}
