// Ends a worker that hangs. In: a worker that was just started, and says that it is alive. Out: SIGKILL, said aloud.
import type { ChildProcess } from 'node:child_process';
import type { PluginLog } from '../plugin-log';
import { ALIVE_INTERVAL_MS } from './worker-messages';

/**
 * A worker that says nothing for so long hangs, and is killed: its successor has what it spooled. Kong has long lost events by
 * then, above 4,096 that wait. It is counted in looks, so that a machine that was asleep kills nobody.
 */
const HUNG_AFTER_LOOKS = 20;

export function endHungWorker(worker: ChildProcess, log: PluginLog): void {
  let looksInSilence = 0;
  const timer = setInterval(() => {
    looksInSilence += 1;
    if (looksInSilence !== HUNG_AFTER_LOOKS) return;
    log('error', 'the worker of the plugin server hangs; it is killed', {
      worker: worker.pid,
      silentMs: HUNG_AFTER_LOOKS * ALIVE_INTERVAL_MS,
    });
    worker.kill('SIGKILL');
  }, ALIVE_INTERVAL_MS);
  worker.on('message', () => (looksInSilence = 0));
  worker.once('exit', () => clearInterval(timer));
}
