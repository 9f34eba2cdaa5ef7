// Lets the process end as a signal asked for, after a last piece of work. The same signal again ends it at once.

/** Kong sends SIGTERM at `kong stop`; SIGINT is Ctrl-C where a person runs the plugin server. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export function endOnSignal(lastWork: () => Promise<void>): void {
  let first: NodeJS.Signals | undefined;
  const end = (signal: NodeJS.Signals): void => {
    // Without a handler the signal ends the process, and its parent sees by which.
    for (const known of SIGNALS) process.off(known, onSignal);
    process.kill(process.pid, signal);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = signal;
      void lastWork().finally(() => end(signal));
    } else if (signal === first) end(signal);
    // The other one is a terminal's Ctrl-C followed by the parent's SIGTERM: the same wish, told twice.
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
}
