import { aheadOf, steadyClock, type Clock } from '../../sidecar/clock';

/** One whose readings are set. */
function settableClock(): Clock & { systemMs: number; monotonic: number } {
  const clock = {
    systemMs: 1_795_000_000_000,
    monotonic: 5_000.3,
    nowMs: () => clock.systemMs,
    monotonicMs: () => clock.monotonic,
    after: () => () => undefined,
  };
  return clock;
}

describe('how far the system’s time is ahead of the steady one', () => {
  it('is the same however the two are rounded', () => {
    const clock = settableClock();
    const aheadMs = aheadOf(clock, steadyClock(clock));
    for (const [systemMs, monotonicMs] of [
      [10, 9.4],
      [11, 11.7],
      [1_000, 1_001.9],
    ] as const) {
      clock.systemMs = 1_795_000_000_000 + systemMs;
      clock.monotonic = 5_000.3 + monotonicMs;
      expect(aheadMs()).toBe(0);
    }
  });

  it('follows a clock that was set, forward and back', () => {
    const clock = settableClock();
    const aheadMs = aheadOf(clock, steadyClock(clock));
    clock.systemMs += 3_600_000;
    expect(aheadMs()).toBe(3_600_000);
    clock.systemMs += 1;
    expect(aheadMs()).toBe(3_600_000);
    clock.systemMs -= 7_200_000;
    expect(aheadMs()).toBe(-3_599_999);
  });
});
