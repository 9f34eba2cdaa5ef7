// Lets the process end as a signal asked for, after a last piece of work. A second signal ends it at once.

/** Kong sends SIGTERM at `kong stop`; SIGINT is Ctrl-C where a person runs the plugin server. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export function endOnSignal(lastWork: () => Promise<void>): void {
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      // The handler is gone by now, so that the same signal ends the process, and its parent sees by which signal.
      void lastWork().finally(() => process.kill(process.pid, signal));
    });
  }
}
