import { RateLimits } from '../../../../kong-plugin/sentry/send/rate-limits';

const WALL_MS = Date.parse('2026-03-01T10:00:00Z');

/** The categories that are paused so many seconds after answers with these headers, which came at second 0. */
function pausedAfter(
  seconds: number,
  ...answers: { status?: number; rateLimits?: string; retryAfter?: string }[]
): string[] {
  const limits = new RateLimits();
  for (const { status = 429, rateLimits, retryAfter } of answers) {
    limits.update({ status, rateLimits, retryAfter }, 0, WALL_MS);
  }
  const categories = ['error', 'transaction', 'monitor', 'profile_chunk', 'internal', 'other'] as const;
  return categories.filter((category) => limits.isPaused(category, seconds * 1_000));
}

const ALL = ['error', 'transaction', 'monitor', 'profile_chunk', 'internal', 'other'];

describe('the pauses that Sentry asks for', () => {
  it('are by category, each for its time', () => {
    const answer = { rateLimits: '60:transaction:key, 2700:default;error;security:organization:quota' };
    expect(pausedAfter(59, answer)).toEqual(['error', 'transaction']);
    expect(pausedAfter(60, answer)).toEqual(['error']);
    expect(pausedAfter(2_700, answer)).toEqual([]);
  });

  it.each(['60::organization', '60', '60:'])(
    'are for everything where no category is named: %s',
    (rateLimits) => {
      expect(pausedAfter(59, { rateLimits })).toEqual(ALL);
      expect(pausedAfter(60, { rateLimits })).toEqual([]);
    },
  );

  it('do not concern us where only other categories are named', () => {
    expect(pausedAfter(1, { rateLimits: '60:replay;brand_new:organization' })).toEqual([]);
  });

  it('come with any status', () => {
    expect(pausedAfter(1, { status: 200, rateLimits: '60:error' })).toEqual(['error']);
  });

  it('are as long as the longest, and one of everything holds beside one of a category that is over', () => {
    expect(pausedAfter(30, { rateLimits: '60:error' }, { rateLimits: '10:error' })).toEqual(['error']);
    expect(pausedAfter(30, { rateLimits: '10:error' }, { rateLimits: '60::key' })).toEqual(ALL);
  });

  it.each([
    ['1.5:error', 1.4, 1.5],
    ['soon:error', 59, 60],
    ['-5:error', 59, 60],
    [' 5 : error ', 4, 5],
  ])('are read as written, or last a minute: %s', (rateLimits, paused, over) => {
    expect(pausedAfter(paused, { rateLimits })).toEqual(['error']);
    expect(pausedAfter(over, { rateLimits })).toEqual([]);
  });

  it.each([
    ['7', 7],
    [undefined, 60],
    ['whenever', 60],
    [new Date(WALL_MS + 90_000).toUTCString(), 90],
    [new Date(WALL_MS - 90_000).toUTCString(), 0],
  ])('are those of Retry-After on a 429 that says no more: %s', (retryAfter, seconds) => {
    const answer = retryAfter === undefined ? {} : { retryAfter };
    if (seconds > 0) expect(pausedAfter(seconds - 1, answer)).toEqual(ALL);
    expect(pausedAfter(seconds, answer)).toEqual([]);
  });

  it('are none on another status without the header', () => {
    expect(pausedAfter(0, { status: 503, retryAfter: '60' })).toEqual([]);
  });

  it('are told when they begin, not when they are made longer', () => {
    const limits = new RateLimits();
    const update = (rateLimits: string, nowMs: number): unknown =>
      limits.update({ status: 429, rateLimits, retryAfter: undefined }, nowMs, WALL_MS);
    expect(update('5:error', 0)).toEqual([{ category: 'error', untilMs: 5_000 }]);
    expect(update('9:error', 1_000)).toEqual([]);
    expect(update('5:error', 10_000)).toEqual([{ category: 'error', untilMs: 15_000 }]);
  });
});
