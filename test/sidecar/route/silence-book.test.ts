import type { Silence } from '../../../sidecar/route/silence';
import {
  MOST_SILENCES,
  createSilence,
  expireSilence,
  forgetSilences,
  readSilence,
  statusOf,
  type SilenceAnswer,
  type SilenceRequest,
} from '../../../sidecar/route/silence-book';

const NOW = Date.parse('2026-03-02T10:00:00Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const REQUEST: SilenceRequest = {
  matchers: [{ label: 'service', operator: '=', value: 'shop' }],
  startsMs: undefined,
  endsMs: NOW + HOUR_MS,
  createdBy: ' ada ',
  comment: 'we move it',
};

function id(n: number): string {
  return n.toString(16).padStart(16, '0');
}

function created(answer: SilenceAnswer): { silences: readonly Silence[]; silence: Silence } {
  if ('faults' in answer) throw new Error(JSON.stringify(answer.faults));
  return answer;
}

describe('a silence', () => {
  it('is in force from now on, where nothing else is asked for, until its end', () => {
    const { silences, silence } = created(createSilence([], REQUEST, id(1), NOW));
    expect(silences).toEqual([silence]);
    expect(silence).toMatchObject({ id: id(1), startsMs: NOW, createdBy: 'ada', createdMs: NOW });
    expect(statusOf(silence, NOW)).toBe('active');
    expect(statusOf(silence, NOW + HOUR_MS - 1)).toBe('active');
    expect(statusOf(silence, NOW + HOUR_MS)).toBe('expired');
  });

  it('that began when it was made is in force though the clock is set back', () => {
    const { silence } = created(createSilence([], REQUEST, id(1), NOW));
    expect(statusOf(silence, NOW - HOUR_MS)).toBe('active');
  });

  it('may begin later', () => {
    const request = { ...REQUEST, startsMs: NOW + HOUR_MS / 2 };
    const { silence } = created(createSilence([], request, id(1), NOW));
    expect(statusOf(silence, NOW)).toBe('pending');
    expect(statusOf(silence, NOW + HOUR_MS / 2)).toBe('active');
  });

  it.each<[string, Partial<SilenceRequest>, string]>([
    ['no matcher', { matchers: [] }, 'matchers'],
    [
      'only what matches everything',
      { matchers: [{ label: 'service', operator: '=~', value: '.*' }] },
      'matchers',
    ],
    ['all but one service', { matchers: [{ label: 'service', operator: '!=', value: 'shop' }] }, 'matchers'],
    [
      'an expression that is none',
      { matchers: [{ label: 'service', operator: '=~', value: '(' }] },
      'matchers',
    ],
    ['an end that is over', { endsMs: NOW }, 'endsMs'],
    ['an end before the start', { startsMs: NOW + 2 * HOUR_MS }, 'endsMs'],
    ['no end that is a number', { endsMs: Number.NaN }, 'endsMs'],
    ['an end in years', { endsMs: NOW + 400 * DAY_MS }, 'endsMs'],
    ['nobody', { createdBy: ' ' }, 'createdBy'],
    ['no reason', { comment: '\n' }, 'comment'],
  ])('is refused for %s', (_, changes, field) => {
    const answer = createSilence([], { ...REQUEST, ...changes }, id(1), NOW);
    expect('faults' in answer && answer.faults.map((fault) => fault.field)).toContain(field);
  });

  it('may be of everything in one respect, where another picks out', () => {
    const matchers = [...REQUEST.matchers, { label: 'operation', operator: '=~', value: '.*' } as const];
    expect(created(createSilence([], { ...REQUEST, matchers }, id(1), NOW)).silence.matchers).toEqual(
      matchers,
    );
  });

  it('ends when somebody says so, even before it began', () => {
    const { silences } = created(createSilence([], REQUEST, id(1), NOW));
    const ended = expireSilence(silences, id(1), NOW + 1);
    expect(ended).toMatchObject([{ startsMs: NOW, endsMs: NOW + 1 }]);
    expect(expireSilence(ended ?? [], id(1), NOW + 2)).toBeUndefined();
    expect(expireSilence(silences, id(2), NOW)).toBeUndefined();
    const later = created(createSilence([], { ...REQUEST, startsMs: NOW + 1_000 }, id(1), NOW)).silences;
    const [never] = expireSilence(later, id(1), NOW + 5) as [Silence];
    expect(statusOf(never, NOW + 2_000)).toBe('expired');
    expect(never.startsMs).toBe(NOW + 5);
  });

  it('is forgotten five days after it ended', () => {
    const { silences } = created(createSilence([], REQUEST, id(1), NOW));
    const forgottenMs = NOW + HOUR_MS + 5 * DAY_MS;
    expect(forgetSilences(silences, forgottenMs - 1)).toBe(silences);
    expect(forgetSilences(silences, forgottenMs)).toEqual([]);
  });

  it('is refused where there are too many, of which those that ended are kept only up to a number', () => {
    let silences: readonly Silence[] = [];
    for (let n = 0; n < MOST_SILENCES; n++)
      silences = created(
        createSilence(silences, { ...REQUEST, endsMs: NOW + HOUR_MS + n }, id(n), NOW),
      ).silences;
    expect('faults' in createSilence(silences, REQUEST, id(9_999), NOW)).toBe(true);
    const laterMs = NOW + 2 * HOUR_MS;
    const more = created(
      createSilence(silences, { ...REQUEST, endsMs: laterMs + 1 }, id(9_999), laterMs),
    ).silences;
    const kept = forgetSilences(more, laterMs + 1);
    expect(kept).toHaveLength(1_000);
    expect(kept.some((silence) => silence.id === id(0))).toBe(false);
  });

  it('is read from what was written, and nothing else is', () => {
    const { silence } = created(createSilence([], REQUEST, id(1), NOW));
    expect(readSilence(JSON.parse(JSON.stringify(silence)))).toEqual(silence);
    expect(readSilence({ ...silence, matchers: [] })).toBeUndefined();
    expect(
      readSilence({ ...silence, matchers: [{ label: 'service', operator: '=~', value: '(' }] }),
    ).toBeUndefined();
    expect(readSilence({ ...silence, endsMs: 'never' })).toBeUndefined();
    expect(readSilence(undefined)).toBeUndefined();
  });
});
