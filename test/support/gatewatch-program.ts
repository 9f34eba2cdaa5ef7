// The built program `gatewatch`, run to its end as from a shell, without a terminal.
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const PROJECT = resolve(__dirname, '../..');
export const GATEWATCH = join(PROJECT, 'dist/sidecar/cli/main.js');

export interface ProgramRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param env all of it but PATH */
export function gatewatch(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramRun> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [GATEWATCH, ...args], {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', fail).once('close', (code) => done({ code, stdout, stderr }));
  });
}
