// In: a command. Out: a child process that is the leader of its own process group, the last lines it wrote, and its end.
// Its own group, because a terminal sends Ctrl-C to every process of the foreground group: the demo must get it alone, to
// stop the programs in order. Stopping covers the whole group, so that what a child started does not outlive it.
// Times in milliseconds. Output is kept in memory: the last 40 lines, each cut at 2,000 characters.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Readable } from 'node:stream';

const KEPT_LINES = 40;
const LONGEST_LINE = 2000;
const GROUP_POLL_MS = 20;
/** From the last request to SIGKILL. */
const LAST_WORD_MS = 200;
// After SIGKILL nothing but the kernel is left to wait for.
const AFTER_KILL_MS = 1000;

/** How a program is started and how long it may take to stop. */
export interface ProcessPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** From SIGTERM to SIGKILL. */
  readonly stopGraceMs: number;
}

/** A started program. */
export interface SupervisedProcess {
  readonly name: string;
  readonly pid: number | undefined;
  /** Resolves with how it ended, such as `ended with exit code 1`; never rejects. */
  readonly ended: Promise<string>;
  /** What it wrote last, to either stream, oldest first. */
  lastLines(): readonly string[];
  /** SIGTERM, the grace, then SIGKILL for the group; resolves once nothing of the group is left. */
  stop(): Promise<void>;
  /** SIGKILL for the whole group, after a moment in which it may end what it started. Blocks for that moment. */
  killNow(): void;
}

/**
 * Starts a program; a command that cannot be started shows in `ended`.
 *
 * @param onLine gets every line that the program writes
 */
export function startProcess(
  plan: ProcessPlan,
  onLine: (line: string) => void = () => undefined,
): SupervisedProcess {
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line.slice(0, LONGEST_LINE));
    if (lines.length > KEPT_LINES) lines.shift();
    onLine(line);
  };
  const child = spawn(plan.command, plan.args, {
    cwd: plan.cwd,
    env: plan.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  readLines(child.stdout, keep);
  readLines(child.stderr, keep);

  let running = true;
  const ended = new Promise<string>((resolve) => {
    const end = (how: string): void => {
      running = false;
      resolve(how);
    };
    child.once('error', (error) => end(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      end(signal === null ? `ended with exit code ${code ?? 'unknown'}` : `was ended by ${signal}`),
    );
  });

  // Once seen empty a group is never signalled again: its number may then belong to somebody else.
  let groupIsEmpty = child.pid === undefined;
  const signalGroup = (signal: NodeJS.Signals | 0): void => {
    if (groupIsEmpty || child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      groupIsEmpty = true;
    }
  };
  const untilGroupIsEmpty = async (timeoutMs: number): Promise<boolean> => {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      signalGroup(0);
      if (groupIsEmpty || performance.now() > deadlineMs) return groupIsEmpty;
      await delay(GROUP_POLL_MS);
    }
  };

  /** Two signals end a gateway at once, and it takes its plugin server, which has a group of its own, with it. */
  const insist = (): void => {
    signalGroup('SIGTERM');
    signalGroup('SIGINT');
  };

  return {
    name: plan.name,
    pid: child.pid,
    ended,
    lastLines: () => lines,
    async stop() {
      if (running) {
        // The leader first: a gateway ends its plugin server itself, after its own last request.
        child.kill('SIGTERM');
        await Promise.race([ended, delay(plan.stopGraceMs, undefined, { ref: false })]);
      }
      if (!running) {
        signalGroup('SIGTERM');
        if (await untilGroupIsEmpty(plan.stopGraceMs)) return;
      }
      insist();
      await untilGroupIsEmpty(LAST_WORD_MS);
      signalGroup('SIGKILL');
      await untilGroupIsEmpty(AFTER_KILL_MS);
    },
    killNow() {
      insist();
      // Nothing can be awaited where a process ends.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_WORD_MS);
      signalGroup('SIGKILL');
    },
  };
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
}
