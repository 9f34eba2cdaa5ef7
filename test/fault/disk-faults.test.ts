// The disk under the ledger is full, read-only, not the sidecar's to write, or answers with errors. The sidecar goes on: it
// refuses batches with 503 `not_durable`, is not ready, says and counts it, exposes the numbers that it had, and when the disk
// mends, every observation is counted exactly once. At a start it says in a sentence what is wrong.
// GATEWATCH_DISK_RUNS and GATEWATCH_FAULT_SEED make a longer or another run; the seed is printed.
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { encodeBatch } from '../../kong-plugin/contract/batch';
import { batchOf, deltaOf } from '../support/batches';
import { CountersWatch } from '../support/counters-watch';
import { describeAsRoot } from '../support/describe-as-root';
import { eventually } from '../support/eventually';
import { expectExact } from '../support/expect-exact';
import { failCalls } from '../support/failing-calls';
import { ledgerLines, post, postAll, postedBatch, readiness } from '../support/posted-batches';
import { Producer } from '../support/producer';
import { describeWith } from '../support/program';
import { sumOf } from '../support/samples';
import { seededRandom } from '../support/seeded-random';
import { SidecarProcess } from '../support/sidecar-process';
import { SmallDisk } from '../support/small-disk';

const RUNS = Number(process.env['GATEWATCH_DISK_RUNS'] ?? 1);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);

jest.setTimeout(180_000 + RUNS * 60_000);

const REFUSED = 'the ledger cannot be written; batches are refused and the producers keep them';

let sidecar: SidecarProcess;
let watch: CountersWatch;
let producer: Producer;

async function load(): Promise<void> {
  watch = new CountersWatch(sidecar.url);
  producer = new Producer({ sidecar_url: sidecar.url });
  producer.start(1_000);
  await moreAreCounted();
}

async function endLoad(): Promise<void> {
  await watch.end().catch(() => undefined);
  await producer.close();
  await sidecar.remove();
}

async function moreAreCounted(): Promise<void> {
  const count = async (): Promise<number> =>
    sumOf(await watch.scrape(), 'gatewatch_requests_total', { service: 'orders' });
  const before = await count();
  await eventually(async () => expect(await count()).toBeGreaterThan(before + 200));
}

/**
 * Refuses batches for this reason, and says so everywhere.
 *
 * @param again sends a batch that was refused, as its producer does. A sidecar that has made another one durable since is ready
 */
async function expectRefusal(reason: RegExp, again = (): Promise<void> => Promise.resolve()): Promise<void> {
  await eventually(async () => {
    await again();
    const answer = await readiness(sidecar.url);
    expect(answer).toMatch(/^503 not ready: /);
    expect(answer).toMatch(reason);
  });
  await eventually(async () => {
    await again();
    expect(sidecar.output).toMatch(new RegExp(`${reason.source}.*${REFUSED}`));
  });
  await eventually(async () => {
    await again();
    const samples = await watch.scrape();
    const failed = sumOf(samples, 'gatewatch_ledger_failed_commits_total');
    expect(failed).toBeGreaterThan(0);
    expect(sumOf(samples, 'gatewatch_batches_total', { result: 'not_durable' })).toBe(failed);
    expect(sumOf(samples, 'gatewatch_ledger_writable')).toBe(0);
  });
}

describeWith('strace', 'a disk that answers with errors', (strace) => {
  const WRITES = ['writev', 'pwrite64', 'pwritev'];
  const CASES: readonly (readonly [
    what: string,
    on: 'ledger.mdb' | 'ledger.mark',
    calls: readonly string[],
    error: string,
    said: RegExp,
  ])[] = [
    ['cannot be flushed', 'ledger.mdb', ['fdatasync', 'fsync'], 'EIO', /Input\/output error/],
    ['cannot be written', 'ledger.mdb', WRITES, 'EIO', /Input\/output error/],
    ['is full', 'ledger.mdb', WRITES, 'ENOSPC', /No space left on device/],
    ['has turned read-only', 'ledger.mdb', WRITES, 'EROFS', /Read-only file system/],
    ['has no more quota', 'ledger.mdb', ['fdatasync', 'fsync'], 'EDQUOT', /quota/i],
    ['cannot take the root of a transaction', 'ledger.mdb', ['pwrite64'], 'EIO', /Input\/output error/],
    ['cannot take the mark', 'ledger.mark', ['pwrite64'], 'EIO', /EIO/],
  ];

  beforeEach(async () => {
    sidecar = await SidecarProcess.start();
    await load();
  });

  afterEach(endLoad);

  it.each(shuffled(CASES).slice(0, RUNS))(
    `leaves the sidecar running, unready, and exact afterwards (seed ${SEED}): a disk that %s`,
    async (_what, on, calls, error, said) => {
      const { pid } = sidecar;
      const mend = await failCalls(strace, pid, {
        calls,
        files: [join(sidecar.dataDirectory, on)],
        fault: `error=${error}`,
      });
      await expectRefusal(said);
      const lines = await ledgerLines(sidecar.url);
      expect(await post(sidecar.url, postedBatch(1))).toMatchObject({ status: 503, fault: 'not_durable' });
      expect(await ledgerLines(sidecar.url)).toBe(lines);
      await mend();
      await moreAreCounted();
      expect(await post(sidecar.url, postedBatch(1))).toMatchObject({ status: 200 });
      await expectExact({ sidecar, watch, producer, pid });
    },
  );

  it(`counts every observation once where each call may fail (${Math.ceil(RUNS / 2)} kinds, seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const { pid } = sidecar;
    for (let run = 0; run < RUNS / 2; run++) {
      const first = 1 + Math.floor(random() * 5);
      const every = 2 + Math.floor(random() * 9);
      const before = sumOf(await watch.scrape(), 'gatewatch_ledger_failed_commits_total');
      const mend = await failCalls(strace, pid, {
        calls: [...WRITES, 'fdatasync'],
        files: [join(sidecar.dataDirectory, 'ledger.mdb'), join(sidecar.dataDirectory, 'ledger.mark')],
        fault: `error=${['EIO', 'ENOSPC'][run % 2]}:when=${first}+${every}`,
      });
      await eventually(async () => {
        const samples = await watch.scrape();
        expect(sumOf(samples, 'gatewatch_ledger_failed_commits_total')).toBeGreaterThan(before + 3);
      });
      await mend();
    }
    await moreAreCounted();
    await expectExact({ sidecar, watch, producer, pid });
  });

  it('is not ready while the disk does not answer at all, and goes on when it does', async () => {
    const { pid } = sidecar;
    const mend = await failCalls(strace, pid, {
      calls: ['fdatasync'],
      files: [join(sidecar.dataDirectory, 'ledger.mdb')],
      // Longer than this test, which lets the call go on.
      fault: 'delay_enter=600000000:when=1',
    });
    await eventually(async () => {
      expect(await readiness(sidecar.url)).toBe('503 not ready: the disk does not answer');
    });
    await mend();
    await moreAreCounted();
    await expectExact({ sidecar, watch, producer, pid });
  });
});

describeWith('strace', 'a disk that cannot be read', (strace) => {
  it('is named at the start', async () => {
    sidecar = await SidecarProcess.start();
    await postAll(sidecar.url, 1, 3);
    const lines = await ledgerLines(sidecar.url);
    await sidecar.end();
    const { dataDirectory } = sidecar;
    const wrap = (command: readonly string[]): string[] => [
      ...[strace, '-D', '-f', '-qq', '-o', '/dev/null', '-P', join(dataDirectory, 'ledger.mdb')],
      ...['-e', 'trace=pread64', '-e', 'inject=pread64:error=EIO', ...command],
    ];
    const other = await SidecarProcess.prepare({ dataDirectory, wrap });
    const said = await other.tryStart();
    await other.remove();
    expect(said).toMatch(/^the ledger at \S+ledger\.mdb cannot be opened: EIO.*\n$/);
    await sidecar.start();
    expect(await ledgerLines(sidecar.url)).toBe(lines);
    await sidecar.remove();
  });
});

describeWith('nsenter', 'a disk of a few hundred kilobytes', () => {
  describeAsRoot('in a mount namespace of its own', () => {
    let disk: SmallDisk;

    beforeEach(async () => {
      disk = await SmallDisk.mount(1_024);
      sidecar = await SidecarProcess.prepare({
        dataDirectory: join(disk.path, 'data'),
        wrap: (command) => disk.enter(command),
      });
    });

    afterEach(async () => {
      await sidecar.remove();
      await disk.unmount();
    });

    /** Of series that no other batch has, so that the store must grow. */
    function wideBatch(sequence: number): Buffer {
      const deltas = Array.from({ length: 100 }, (_, index) =>
        deltaOf({ service: 'wide', operation: `GET ${sequence}/${index}` }, [index]),
      );
      return encodeBatch(batchOf(deltas, sequence, 'wide'));
    }

    it(`is full while the sidecar runs, ${RUNS} times (seed ${SEED}): nothing is lost, nothing is counted twice`, async () => {
      const random = seededRandom(SEED);
      await sidecar.start();
      await load();
      try {
        const { pid } = sidecar;
        let sequence = 1;
        for (let run = 0; run < RUNS; run++) {
          disk.fill(Math.floor(random() * 16));
          // The batches of the load are smaller: for them there may be room all the while.
          await expectRefusal(/No space left on device/, async () => {
            let answer = await post(sidecar.url, wideBatch(sequence));
            while (answer.status === 200) answer = await post(sidecar.url, wideBatch(++sequence));
            expect(answer).toMatchObject({ status: 503, fault: 'not_durable' });
          });
          disk.empty();
          // As a producer does: the same bytes again.
          await eventually(async () =>
            expect(await post(sidecar.url, wideBatch(sequence))).toMatchObject({ status: 200 }),
          );
          expect(await post(sidecar.url, wideBatch(sequence))).toMatchObject({ result: 'duplicate' });
          await moreAreCounted();
          sequence += 1;
        }
        const samples = await watch.scrape();
        expect(sumOf(samples, 'gatewatch_requests_total', { service: 'wide' })).toBe(100 * (sequence - 1));
        await expectExact({ sidecar, watch, producer, pid });
      } finally {
        await watch.end().catch(() => undefined);
        await producer.close();
      }
    });

    it('is full when the ledger is to be written again from memory, and is so when there is room', async () => {
      await sidecar.start();
      await load();
      try {
        const { pid } = sidecar;
        process.kill(pid, 'SIGSTOP');
        // Otherwise the old store leaves room for the new one.
        const release = disk.removeButHold(join('data', 'ledger.mdb'));
        disk.remove('data');
        disk.fill(0);
        process.kill(pid, 'SIGCONT');
        await expectRefusal(/[Nn]o space left on device/);
        release();
        disk.empty();
        await moreAreCounted();
        await expectExact({ sidecar, watch, producer, pid });
      } finally {
        await watch.end().catch(() => undefined);
        await producer.close();
      }
    });

    it('is full at the first start: the sidecar says so and ends, whatever little room there is, or runs', async () => {
      let refused = 0;
      for (let pagesLeft = 0; pagesLeft <= 10 + RUNS; pagesLeft += RUNS > 2 ? 1 : 2) {
        disk.fill(pagesLeft);
        const said = await sidecar.tryStart();
        if (said === undefined) expect(await readiness(sidecar.url)).toBe('200 ready');
        else {
          refused += 1;
          expect(said).toMatch(
            /^the ledger at \S+ cannot be opened: (ENOSPC|No space left on device).+ on a file system that is not read-only and has room\n$/,
          );
        }
        await sidecar.end('SIGKILL');
        disk.remove('data');
        disk.empty();
      }
      expect(refused).toBeGreaterThan(1);
      await sidecar.start();
      await postAll(sidecar.url, 1, 3);
    });

    it('is full at a later start: the sidecar tells what it has, and goes on when there is room', async () => {
      await sidecar.start();
      await postAll(sidecar.url, 1, 30);
      const lines = await ledgerLines(sidecar.url);
      await sidecar.end('SIGKILL');
      disk.fill(0);
      await sidecar.start();
      expect(sidecar.output).toMatch(
        /no space left.*the ledger could not be written anew; it is used as it is/,
      );
      expect(await ledgerLines(sidecar.url)).toBe(lines);
      let sequence = 31;
      let answer = await post(sidecar.url, postedBatch(sequence));
      while (answer.status === 200) answer = await post(sidecar.url, postedBatch(++sequence));
      expect(answer).toMatchObject({ status: 503, fault: 'not_durable' });
      disk.empty();
      await eventually(() => postAll(sidecar.url, sequence, sequence));
      await postAll(sidecar.url, sequence + 1, sequence + 70);
      expect(await readiness(sidecar.url)).toBe('200 ready');
    });

    it('is read-only at a start: the sidecar says so', async () => {
      await disk.remount('ro');
      expect(await sidecar.tryStart()).toMatch(
        /^the ledger at \S+ cannot be opened: EROFS.+ on a file system that is not read-only and has room\n$/,
      );
      await disk.remount('rw');
      await sidecar.start();
      await postAll(sidecar.url, 1, 30);
      const lines = await ledgerLines(sidecar.url);
      await sidecar.end();
      await disk.remount('ro');
      expect(await sidecar.tryStart()).toMatch(/^the ledger at \S+ cannot be opened: EROFS/);
      await disk.remount('rw');
      await sidecar.start();
      expect(await ledgerLines(sidecar.url)).toBe(lines);
    });
  });
});

describeWith('setpriv', "a directory that is not the sidecar's to write", (setpriv) => {
  describeAsRoot('as an ordinary user', () => {
    const USER = 65_534;
    const asUser = (command: readonly string[]): string[] => [
      ...[setpriv, `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--inh-caps=-all', '--'],
      ...command,
    ];

    beforeEach(async () => {
      sidecar = await SidecarProcess.prepare({ wrap: asUser });
      chmodSync(sidecar.directory, 0o755);
      mkdirSync(sidecar.dataDirectory);
    });

    afterEach(() => sidecar.remove());

    it('is named at the start, with the user who may not write it', async () => {
      expect(await sidecar.tryStart()).toMatch(
        /^the ledger at \S+ cannot be opened: EACCES.+ one that the sidecar's user \(id 65534\) may write to/,
      );
      rmSync(sidecar.dataDirectory, { recursive: true });
      expect(await sidecar.tryStart()).toMatch(/^the ledger at \S+ cannot be opened: EACCES.+\(id 65534\)/);
    });

    it('is named where only some of its files belong to another', async () => {
      chownSync(sidecar.dataDirectory, USER, USER);
      await sidecar.start();
      await postAll(sidecar.url, 1, 30);
      const lines = await ledgerLines(sidecar.url);
      await sidecar.end();
      for (const file of ['ledger.mdb', 'ledger.mdb-lock', 'ledger.mark']) {
        const path = join(sidecar.dataDirectory, file);
        chownSync(path, 0, 0);
        chmodSync(path, 0o600);
        expect(await sidecar.tryStart()).toMatch(
          /^the ledger at \S+ cannot be opened: (EACCES|Permission denied).+\(id 65534\)/,
        );
        chownSync(path, USER, USER);
      }
      // One that it may write its files in, but no others: it cannot write the store anew, and says so.
      chownSync(sidecar.dataDirectory, 0, 0);
      chmodSync(sidecar.dataDirectory, 0o755);
      await sidecar.start();
      expect(sidecar.output).toMatch(/EACCES.*the ledger could not be written anew; it is used as it is/);
      expect(await ledgerLines(sidecar.url)).toBe(lines);
      await postAll(sidecar.url, 31, 100);
    });
  });
});

/** The same order for the same seed. */
function shuffled<One>(all: readonly One[]): One[] {
  const random = seededRandom(SEED);
  return all
    .map((one) => ({ one, at: random() }))
    .sort((left, right) => left.at - right.at)
    .map(({ one }) => one);
}
