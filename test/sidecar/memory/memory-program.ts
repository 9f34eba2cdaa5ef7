// committing-program.cjs, started, and what it says, read.
import { join } from 'node:path';
import { RunningProgram } from '../../support/running-program';

const PROGRAM = join(__dirname, 'committing-program.cjs');

export interface Found {
  readonly sentences: readonly string[];
  readonly unreadable: number;
  readonly fault?: string;
  /** The number in each alert. */
  readonly alerts: readonly number[];
  /** Of each event the number in its key and the one in its value. */
  readonly events: readonly (readonly [number, number])[];
  /** Whether each value is one that was written. */
  readonly isWhole: boolean;
}

export interface MemoryProgramOptions {
  readonly directory: string;
  readonly keptEvents: number;
  readonly commits: number;
  readonly pauseMs?: number;
  readonly wrap?: (command: readonly string[]) => readonly string[];
}

export function startMemoryProgram({
  directory,
  keptEvents,
  commits,
  pauseMs = 0,
  wrap = (command) => command,
}: MemoryProgramOptions): RunningProgram {
  const [program = '', ...args] = wrap([
    process.execPath,
    PROGRAM,
    directory,
    ...[keptEvents, commits, pauseMs].map(String),
  ]);
  return new RunningProgram(program, args);
}

export async function foundBy(program: RunningProgram): Promise<Found> {
  const [, json = ''] = await program.says(/^found (.*)$/m);
  return JSON.parse(json) as Found;
}

/** The last that it said was committed; 0 before. */
export function lastCommitted(program: RunningProgram): number {
  return Number([...program.output.matchAll(/^committed (\d+)$/gm)].at(-1)?.[1] ?? 0);
}
