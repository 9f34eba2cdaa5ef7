import { RoundCheckIns, checkInMinutes } from '../../../sidecar/sentry/round-check-ins';

describe('check-ins of rounds', () => {
  it('come with the first round and once a minute from then on', () => {
    const checkIns = new RoundCheckIns();
    const atMs: number[] = [];
    for (let nowMs = 0; nowMs <= 180_000; nowMs += 5_000) {
      if (checkIns.add({ durationMs: 1, failed: false }, nowMs)) atMs.push(nowMs);
    }
    expect(atMs).toEqual([0, 60_000, 120_000, 180_000]);
  });

  it('tell of a round that failed since the last one, and of the longest', () => {
    const checkIns = new RoundCheckIns();
    checkIns.add({ durationMs: 1, failed: false }, 0);
    checkIns.add({ durationMs: 9, failed: true }, 5_000);
    expect(checkIns.add({ durationMs: 2, failed: false }, 60_000)).toEqual({
      status: 'error',
      durationMs: 9,
    });
    expect(checkIns.add({ durationMs: 2, failed: false }, 120_000)).toEqual({ status: 'ok', durationMs: 2 });
  });

  it('are expected as often as rounds come, at most once a minute', () => {
    expect([1_000, 60_000, 61_000, 300_000].map(checkInMinutes)).toEqual([1, 1, 2, 5]);
  });
});
