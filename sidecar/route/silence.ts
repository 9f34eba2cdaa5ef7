// A silence: alerts that match are not told of between two moments, because somebody said so and why.
import type { Matchers } from '../config/notification-policy';

export interface Silence {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** At least one. */
  readonly matchers: Matchers;
  /** Unix ms. */
  readonly startsMs: number;
  /** Unix ms, exclusive. */
  readonly endsMs: number;
  readonly createdBy: string;
  /** Why; never empty. */
  readonly comment: string;
  readonly createdMs: number;
}

/** One that began when it was made has begun, whatever the clock is set to afterwards. */
export function isInForce({ startsMs, endsMs, createdMs }: Silence, nowMs: number): boolean {
  return (nowMs >= startsMs || startsMs === createdMs) && nowMs < endsMs;
}
