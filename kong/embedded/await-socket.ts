// In: a unix socket's path. Out: whether something accepts connections there in time, asked every 50 ms. So the first
// requests after "ready" do not lose their events, which with Kong they may.
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const INTERVAL_MS = 50;

/** True once a connection was accepted, false after `timeoutMs`; asks at least once. */
export async function awaitSocket(path: string, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await accepts(path)) return true;
    if (performance.now() >= deadline) return false;
    await sleep(INTERVAL_MS);
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
