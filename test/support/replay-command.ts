// `gatewatch replay` as a command, with a rim of its own: what it says, and its exit code.
import { Writable } from 'node:stream';
import { CommandFault, EXIT, UsageFault } from '../../sidecar/cli/command';
import { runReplay } from '../../sidecar/cli/replay';
import { ManualClock } from './manual-clock';

export interface ReplayAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

class Kept extends Writable {
  text = '';

  constructor(readonly isTTY: boolean) {
    super();
  }

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export async function replayCommand(
  args: readonly string[],
  {
    environment = {},
    nowMs,
    isTTY = false,
  }: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly nowMs?: number;
    readonly isTTY?: boolean;
  } = {},
): Promise<ReplayAnswer> {
  const stdout = new Kept(false);
  const stderr = new Kept(isTTY);
  try {
    const code = await runReplay(args, { stdout, stderr, environment, clock: new ManualClock(nowMs) });
    return { code, stdout: stdout.text, stderr: stderr.text };
  } catch (error) {
    // As the program itself tells them.
    if (!(error instanceof UsageFault || error instanceof CommandFault)) throw error;
    const code = error instanceof UsageFault ? EXIT.usage : EXIT.failed;
    return { code, stdout: stdout.text, stderr: `${stderr.text}${error.message}\n` };
  }
}
