// From silences to what the API tells of them.
import { renderMatcher } from '../../config/matcher';
import type { Silence } from '../../route/silence';
import { statusOf, type SilenceStatus } from '../../route/silence-book';
import type { SilenceDocument } from './answer-shapes';
import { timeText } from './time-text';

export function silenceDocument(silence: Silence, nowMs: number): SilenceDocument {
  return {
    id: silence.id,
    state: statusOf(silence, nowMs),
    matchers: silence.matchers.map(renderMatcher),
    starts_at: timeText(silence.startsMs),
    ends_at: timeText(silence.endsMs),
    created_by: silence.createdBy,
    comment: silence.comment,
    created_at: timeText(silence.createdMs),
  };
}

const ORDER: readonly SilenceStatus[] = ['active', 'pending', 'expired'];

/** Those in force first, and of each state what ends soonest; of those that have ended the last one first. */
export function selectSilences(
  silences: readonly Silence[],
  states: readonly SilenceStatus[],
  nowMs: number,
): Silence[] {
  return ORDER.filter((state) => states.includes(state)).flatMap((state) =>
    silences
      .filter((silence) => statusOf(silence, nowMs) === state)
      .sort((a, b) => (state === 'expired' ? b.endsMs - a.endsMs : a.endsMs - b.endsMs)),
  );
}
