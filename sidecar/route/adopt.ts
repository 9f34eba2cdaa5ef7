// A channel that was told of alerts in the place of another counts as told of them itself, so that it is told how they go on.
import { startOf } from './run';
import { NEW_CHANNEL, NO_NOTE, type RouteState } from './route-state';

/** @param alertKeys those of which nothing is known any more are left out @param nowMs on the clock of the rounds */
export function adopt(
  state: RouteState,
  channel: string,
  alertKeys: readonly string[],
  nowMs: number,
): RouteState {
  const before = state.channels.get(channel) ?? NEW_CHANNEL;
  const notes = new Map(before.notes);
  for (const key of alertKeys) {
    const alert = (state.runs.get(key) ?? state.ends.get(key))?.alert;
    const startedMs = state.runs.get(key)?.startedMs ?? (alert && startOf(alert));
    const note = notes.get(key) ?? NO_NOTE;
    if (!alert || startedMs === undefined || note.sent) continue;
    const { severity, acknowledgement } = alert;
    const acknowledgedMs = acknowledgement?.atMs;
    notes.set(key, {
      ...note,
      sent: { severity, worst: severity, startedMs, acknowledgedMs, timeMs: nowMs },
    });
  }
  return { ...state, channels: new Map([...state.channels, [channel, { ...before, notes }]]) };
}
