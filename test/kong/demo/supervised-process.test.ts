import { tmpdir } from 'node:os';
import { startProcess, type SupervisedProcess } from '../../../kong/demo/supervised-process';
import { isRunning } from '../../support/is-running';

// Scripts say a line once they have installed what the test is about; `untilLine` awaits it.
function startScript(
  script: string,
  stopGraceMs = 10_000,
): { child: SupervisedProcess; untilLine: (text: string) => Promise<string> } {
  const seen: string[] = [];
  let wake: () => void = () => undefined;
  const child = startProcess(
    {
      name: 'script',
      command: process.execPath,
      args: ['-e', script],
      env: process.env,
      cwd: tmpdir(),
      stopGraceMs,
    },
    (line) => {
      seen.push(line);
      wake();
    },
  );
  const untilLine = async (text: string): Promise<string> => {
    for (;;) {
      const line = seen.find((candidate) => candidate.includes(text));
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  return { child, untilLine };
}

const KEEP_ALIVE = 'setInterval(() => {}, 1000);';
const IGNORE_SIGNALS = `for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => {}); ${KEEP_ALIVE}`;
const START_CHILD = (script: string): string =>
  `const c = require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(script)}], { stdio: 'inherit' });
   console.log('child ' + c.pid);`;
const childPid = (line: string): number => Number(line.slice('child '.length));

describe('a supervised process', () => {
  it('is given SIGTERM and may end in its own way', async () => {
    const { child, untilLine } = startScript(
      `process.on('SIGTERM', () => { console.log('flushed'); process.exit(0); }); ${KEEP_ALIVE} console.log('up');`,
    );
    await untilLine('up');
    await child.stop();
    await untilLine('flushed');
    expect(await child.ended).toBe('ended with exit code 0');
  });

  it('is killed once its grace is over', async () => {
    const { child, untilLine } = startScript(`${IGNORE_SIGNALS} console.log('up');`, 100);
    await untilLine('up');
    await child.stop();
    expect(await child.ended).toBe('was ended by SIGKILL');
  });

  it('takes along what it started, also where it died first', async () => {
    const { child, untilLine } = startScript(
      `${START_CHILD(`${KEEP_ALIVE} console.log('orphan up')`)} process.on('SIGUSR2', () => process.exit(7)); ${KEEP_ALIVE}`,
    );
    const orphan = childPid(await untilLine('child '));
    await untilLine('orphan up');
    process.kill(child.pid ?? 0, 'SIGUSR2');
    expect(await child.ended).toBe('ended with exit code 7');
    expect(isRunning(orphan)).toBe(true);
    await child.stop();
    expect(isRunning(orphan)).toBe(false);
  });

  it('takes along a child of its own that ignores SIGTERM', async () => {
    const { child, untilLine } = startScript(
      `${START_CHILD(`${IGNORE_SIGNALS} console.log('stubborn up')`)} ${KEEP_ALIVE}`,
      200,
    );
    const stubborn = childPid(await untilLine('child '));
    await untilLine('stubborn up');
    await child.stop();
    expect(isRunning(stubborn)).toBe(false);
  });

  it('is gone at once with its children when killed', async () => {
    const { child, untilLine } = startScript(
      `${START_CHILD(`${IGNORE_SIGNALS} console.log('grandchild up')`)} ${IGNORE_SIGNALS}`,
    );
    const grandchild = childPid(await untilLine('child '));
    await untilLine('grandchild up');
    child.killNow();
    expect(await child.ended).toBe('was ended by SIGKILL');
    await child.stop();
    expect(isRunning(grandchild)).toBe(false);
  });

  it('keeps the last forty lines of both streams', async () => {
    const { child } = startScript(
      "for (let n = 1; n <= 50; n++) console.log('line ' + n); console.error('x'.repeat(5000)); process.exitCode = 3;",
    );
    expect(await child.ended).toBe('ended with exit code 3');
    await child.stop();
    const lines = child.lastLines();
    expect(lines).toHaveLength(40);
    expect(lines).toContain('line 50');
    expect(lines).not.toContain('line 1');
    expect(lines).toContain('x'.repeat(2000));
  });

  it('says so when the command does not exist', async () => {
    const child = startProcess({
      name: 'nothing',
      command: '/no/such/program',
      args: [],
      env: {},
      cwd: tmpdir(),
      stopGraceMs: 100,
    });
    expect(await child.ended).toBe('could not be started: spawn /no/such/program ENOENT');
    await child.stop();
    child.killNow();
  });
});
