import { readTime } from '../../../sidecar/replay/read-time';

const NOW = Date.parse('2026-11-28T12:00:00Z');

describe('a moment on the command line', () => {
  it.each([
    ['now', NOW],
    ['7d', NOW - 7 * 86_400_000],
    ['1h30m', NOW - 5_400_000],
    ['2026-11-27', Date.parse('2026-11-27T00:00:00Z')],
    ['2026-11-27T10:00', Date.parse('2026-11-27T10:00:00Z')],
    ['2026-11-27 10:00:05', Date.parse('2026-11-27T10:00:05Z')],
    ['2026-11-27T10:00:00+02:00', Date.parse('2026-11-27T08:00:00Z')],
    ['1764324000', 1_764_324_000_000],
    ['1764324000.5', 1_764_324_000_500],
  ])('may be %s', (text, ms) => {
    expect(readTime(text, NOW)).toBe(ms);
  });

  it.each(['', 'yesterday', '-7d', '2026-13-01', '2026-11-27T25:00', '17', '1764324000000', '7'])(
    'is not "%s"',
    (text) => {
      expect(readTime(text, NOW)).toBeUndefined();
    },
  );
});
