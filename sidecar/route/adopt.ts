// A channel that was told of alerts in the place of another counts as told of them itself, so that it is told how they go on.
import { NEW_CHANNEL, NO_NOTE, type RouteState } from './route-state';

/** @param alertKeys those that no longer fire are left out @param nowMs on the clock of the rounds */
export function adopt(
  state: RouteState,
  channel: string,
  alertKeys: readonly string[],
  nowMs: number,
): RouteState {
  const before = state.channels.get(channel) ?? NEW_CHANNEL;
  const notes = new Map(before.notes);
  for (const key of alertKeys) {
    const run = state.runs.get(key);
    const note = notes.get(key) ?? NO_NOTE;
    if (!run || note.sent) continue;
    const { severity, acknowledgement } = run.alert;
    const knows = { severity, worst: severity, startedMs: run.startedMs, timeMs: nowMs };
    notes.set(key, { ...note, sent: { ...knows, acknowledgedMs: acknowledgement?.atMs } });
  }
  return { ...state, channels: new Map([...state.channels, [channel, { ...before, notes }]]) };
}
