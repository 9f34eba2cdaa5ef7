// In: an address. Out: resolved once it answers with a 2xx, asked every 100 ms; rejected after the time given, or when
// the signal says so. Milliseconds.
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;
const ANSWER_TIMEOUT_MS = 2000;

/**
 * @throws if the time is over: an Error that says what the address answered last; if aborted: the signal's reason
 */
export async function waitUntilAnswers(url: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    let last: string;
    signal.throwIfAborted();
    try {
      const answer = await fetch(url, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      });
      await answer.body?.cancel();
      if (answer.ok) return;
      last = `status ${answer.status}`;
    } catch {
      last = 'no answer';
    }
    signal.throwIfAborted();
    if (performance.now() > deadlineMs) {
      throw new Error(`${url} was not ready within ${Math.round(timeoutMs / 1000)} s (${last})`);
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}
