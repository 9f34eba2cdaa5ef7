// Waits for something that no event tells of, in another process: asks again until it is so.
import { setTimeout as delay } from 'node:timers/promises';

/** @throws what the last question threw, once `timeoutMs` are over */
export async function eventually<Answer>(
  ask: () => Answer | Promise<Answer>,
  timeoutMs = 60_000,
): Promise<Answer> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() >= deadlineMs) throw error;
      await delay(50);
    }
  }
}
