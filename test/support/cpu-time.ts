// The time of the processor that a piece of work takes of this process: a busy machine does not make it longer, as it does the time
// on the clock, and a slow machine makes it longer for all work alike.

export interface Timed<Result> {
  readonly result: Result;
  readonly cpuMs: number;
}

export function timed<Result>(run: () => Result): Timed<Result> {
  const before = process.cpuUsage();
  const result = run();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuMs: (user + system) / 1_000 };
}

/** Of twenty times; others make the machine's caches cold. */
export function leastCpuMs(run: () => void): number {
  return Math.min(...Array.from({ length: 20 }, () => timed(run).cpuMs));
}
