// System calls that fail: strace is attached to a running process and answers in the kernel's place. In: the process, the files
// and the calls, the error. Out: an end, after which all calls succeed again.
import { RunningProgram } from './running-program';

export interface FailingCalls {
  /** Names as strace knows them. */
  readonly calls: readonly string[];
  /** Only on these files. */
  readonly files: readonly string[];
  /** What is done to them, in strace's words: `error=EIO`, `error=EIO:when=2+3`, `delay_enter=1000000`. */
  readonly fault: string;
}

/** Resolves when the calls fail; resolves to what makes them succeed again. */
export async function failCalls(
  strace: string,
  pid: number,
  { calls, files, fault }: FailingCalls,
): Promise<() => Promise<void>> {
  const program = new RunningProgram(strace, [
    ...['-f', '-p', String(pid)],
    ...files.flatMap((file) => ['-P', file]),
    ...['-e', `trace=${calls.join(',')}`, '-e', `inject=${calls.join(',')}:${fault}`],
  ]);
  await program.says(/attached/);
  return async () => {
    await program.end();
  };
}
