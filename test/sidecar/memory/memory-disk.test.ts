// The disk under the memory is full, read-only, or answers with errors. The process goes on, says why, and writes all that has
// waited as soon as it can.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MEMORY_FILE_NAME } from '../../../sidecar/memory/memory-store';
import { describeAsRoot } from '../../support/describe-as-root';
import { failCalls } from '../../support/failing-calls';
import { describeWith } from '../../support/program';
import type { RunningProgram } from '../../support/running-program';
import { SmallDisk } from '../../support/small-disk';
import { foundBy, lastCommitted, startMemoryProgram } from './memory-program';

const ENDLESS = 1_000_000;

/** The next commit that succeeds after now. */
async function commitsAgain(program: RunningProgram): Promise<void> {
  const before = program.output.length;
  await program.says(new RegExp(`^[^]{${before}}[^]*^committed \\d+$`, 'm'));
}

/** Every event up to the last one is there, and it is in every alert. */
async function expectAll(program: RunningProgram, last: number): Promise<void> {
  const { alerts, events, sentences, isWhole } = await foundBy(program);
  expect(sentences).toEqual([]);
  expect(isWhole).toBe(true);
  const found = Math.max(0, ...alerts);
  expect([last, last + 1]).toContain(found);
  expect(alerts).toEqual(Array.from({ length: 10 }, () => found));
  expect(events.map(([number]) => number).sort((a, b) => a - b)).toEqual(
    Array.from({ length: found }, (_, index) => index + 1),
  );
}

describeWith('nsenter', 'a disk of a megabyte', () => {
  describeAsRoot('in a mount namespace of its own', () => {
    let disk: SmallDisk;
    let program: RunningProgram;

    beforeEach(async () => {
      disk = await SmallDisk.mount(1_024);
    });

    afterEach(async () => {
      await program.end('SIGKILL');
      await disk.unmount();
    });

    function start(commits = ENDLESS): RunningProgram {
      return (program = startMemoryProgram({
        directory: join(disk.path, 'data'),
        keptEvents: ENDLESS,
        commits,
        pauseMs: 10,
        wrap: (command) => disk.enter(command),
      }));
    }

    it('is full while the process runs, and nothing is lost when it has room again', async () => {
      start();
      await program.says(/^committed 5$/m);
      disk.fill(4);
      await program.says(/^failed \d+: No space left on device, under \S+\. Make room; waiting 1\d$/m);
      // It tries again and again, with ever more.
      await program.says(/^failed \d+: No space left.*; waiting 2\d$/m);
      disk.empty();
      await commitsAgain(program);
      await program.end('SIGKILL');
      const last = lastCommitted(program);
      await expectAll(start(0), last);
    });

    it('is full at the first start, whatever little room there is: the process runs, and writes when it has room', async () => {
      let failed = 0;
      for (let pagesLeft = 0; pagesLeft <= 14; pagesLeft += 2) {
        disk.fill(pagesLeft);
        start();
        const { fault } = await foundBy(program);
        if (fault !== undefined) {
          expect(fault).toMatch(/no space left on device/i);
          failed += 1;
        }
        await program.says(/^failed/m);
        disk.empty();
        await commitsAgain(program);
        await program.end('SIGKILL');
        const last = lastCommitted(program);
        await expectAll(start(0), last);
        await program.ended;
        disk.remove('data');
      }
      expect(failed).toBeGreaterThan(1);
    });

    it('is full at a later start: what is remembered is there', async () => {
      await start(20).ended;
      disk.fill(0);
      start();
      const { alerts, sentences } = await foundBy(program);
      expect(alerts).toEqual(Array.from({ length: 10 }, () => 20));
      expect(sentences).toEqual([
        expect.stringMatching(
          /alerts\.mdb could not be written anew: .*no space left.*\. It is used as it is$/i,
        ),
      ]);
      disk.empty();
      await commitsAgain(program);
      await program.end('SIGKILL');
      const last = lastCommitted(program);
      await expectAll(start(0), last);
    });

    it('is read-only at a start: the process runs, and begins anew when it may write', async () => {
      await start(20).ended;
      await disk.remount('ro');
      start();
      const { alerts, fault } = await foundBy(program);
      expect([alerts, fault]).toEqual([[], expect.stringContaining('EROFS')]);
      await program.says(/^failed 5: EROFS/m);
      await disk.remount('rw');
      await commitsAgain(program);
      await program.end('SIGKILL');
      const last = lastCommitted(program);
      await expectAll(start(0), last);
    });
  });
});

describeWith('strace', 'a disk that answers with errors', (strace) => {
  const WRITES = ['writev', 'pwrite64', 'pwritev'];
  let directory: string;
  let program: RunningProgram;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gatewatch-memory-'));
  });

  afterEach(async () => {
    await program.end('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    ['has turned read-only', WRITES, 'error=EROFS', /^failed \d+: Read-only file system/m],
    ['cannot be flushed', ['fdatasync', 'fsync'], 'error=EIO', /^failed \d+: Input\/output error/m],
    ['fails now and then', [...WRITES, 'fdatasync'], 'error=EIO:when=1+3', /^failed \d+: /m],
  ])('leaves the process running, and nothing is lost: one that %s', async (_what, calls, fault, said) => {
    const start = (commits: number): RunningProgram =>
      (program = startMemoryProgram({ directory, keptEvents: ENDLESS, commits, pauseMs: 10 }));
    start(ENDLESS);
    await program.says(/^committed 3$/m);
    const mend = await failCalls(strace, program.pid, {
      calls,
      files: [join(directory, MEMORY_FILE_NAME)],
      fault,
    });
    await program.says(said);
    await mend();
    await commitsAgain(program);
    await program.end('SIGKILL');
    const last = lastCommitted(program);
    await expectAll(start(0), last);
    expect(readdirSync(directory).filter((name) => /damaged|unread/.test(name))).toEqual([]);
  });
});
