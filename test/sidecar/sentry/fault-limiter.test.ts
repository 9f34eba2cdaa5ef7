import {
  ALL_FAULTS_A_MINUTE,
  FAULTS_A_MINUTE,
  FaultLimiter,
  MAX_KINDS,
} from '../../../sidecar/sentry/fault-limiter';

function wentOf(limiter: FaultLimiter, kind: string, count: number, nowMs: number): number {
  return Array.from({ length: count }, () => limiter.admit(kind, nowMs)).filter(({ mayGo }) => mayGo).length;
}

describe('the limit of faults', () => {
  it('lets the first of a kind go at once, and the next after a minute with the number of those between', () => {
    const limiter = new FaultLimiter();
    expect(wentOf(limiter, 'a', 100, 1_000)).toBe(FAULTS_A_MINUTE);
    expect(limiter.admit('a', 60_999)).toEqual({ mayGo: false, before: undefined });
    const heldBack = { count: 100 - FAULTS_A_MINUTE + 1, sinceMs: 1_000 };
    expect(limiter.admit('a', 61_000)).toEqual({ mayGo: true, before: heldBack });
    expect(limiter.admit('a', 61_000)).toEqual({ mayGo: true, before: undefined });
  });

  it('holds back no kind for another, until all together are too many', () => {
    const limiter = new FaultLimiter();
    const went = Array.from({ length: 30 }, (_, kind) => wentOf(limiter, String(kind), 1, 0));
    expect(went.slice(0, ALL_FAULTS_A_MINUTE)).toEqual(Array(ALL_FAULTS_A_MINUTE).fill(1));
    expect(went.slice(ALL_FAULTS_A_MINUTE)).toEqual(Array(30 - ALL_FAULTS_A_MINUTE).fill(0));
  });

  it('tells of every fault of more kinds than it keeps, as gone or as held back', () => {
    const limiter = new FaultLimiter();
    let told = 0;
    for (let fault = 0; fault < 10 * MAX_KINDS; fault++) {
      const { mayGo, before } = limiter.admit(`kind ${fault}`, fault);
      told += (mayGo ? 1 : 0) + (before?.count ?? 0);
    }
    const nowMs = 10_000_000;
    for (let kind = 0; kind < 10 * MAX_KINDS; kind++) {
      const { mayGo, before } = limiter.admit(`kind ${kind}`, nowMs + kind * 60_000);
      expect(mayGo).toBe(true);
      told += before?.count ?? 0;
    }
    expect(told).toBe(10 * MAX_KINDS);
  });
});
