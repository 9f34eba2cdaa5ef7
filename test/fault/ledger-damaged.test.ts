// The ledger's files are damaged: while the sidecar is down, and under its feet. It says what is wrong and what to do, exposes
// no wrong number, and where it mends itself every observation is counted exactly once afterwards.
// GATEWATCH_DAMAGE_RUNS and GATEWATCH_FAULT_SEED make a longer or another run; the seed is printed.
import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { encodeBatch } from '../../kong-plugin/contract/batch';
import { Ledger } from '../../sidecar/ledger/ledger';
import { batchOf, deltaOf } from '../support/batches';
import { CountersWatch } from '../support/counters-watch';
import { describeAsRoot } from '../support/describe-as-root';
import { eventually } from '../support/eventually';
import { expectExact } from '../support/expect-exact';
import { ledgerLines, post, postAll, postedBatch, readiness } from '../support/posted-batches';
import { Producer } from '../support/producer';
import { describeWith } from '../support/program';
import { RunningProgram } from '../support/running-program';
import { sumOf } from '../support/samples';
import { seededRandom } from '../support/seeded-random';
import { SidecarProcess } from '../support/sidecar-process';

const RUNS = Number(process.env['GATEWATCH_DAMAGE_RUNS'] ?? 1);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);

jest.setTimeout(180_000 + RUNS * 25_000);

const CHECK = resolve(__dirname, '../../dist/sidecar/ledger/check-store-main.js');

const PAGE_BYTES = 4_096;
const PAGE_HEADER_BYTES = 24;
const ROOT_BYTES = 180;

describe('a ledger that was damaged while the sidecar was down', () => {
  const OLDER = 100;
  const WHOLE = 150;
  /** More than the transactions in which every record is written anew. */
  const LATER = 220;

  let sidecar: SidecarProcess;
  let olderCopy: string;
  let wholeCopy: string;
  let olderLines: string;
  let wholeLines: string;
  let laterLines: string;
  let store: string;
  let mark: string;

  beforeAll(async () => {
    sidecar = await SidecarProcess.start();
    const { url, directory, dataDirectory } = sidecar;
    [store, mark] = [join(dataDirectory, 'ledger.mdb'), join(dataDirectory, 'ledger.mark')];
    [olderCopy, wholeCopy] = [join(directory, 'older'), join(directory, 'whole')];
    await postAll(url, 1, OLDER);
    olderLines = await ledgerLines(url);
    await sidecar.end();
    cpSync(dataDirectory, olderCopy, { recursive: true });
    await sidecar.start();
    await postAll(url, OLDER + 1, WHOLE);
    wholeLines = await ledgerLines(url);
    await sidecar.end('SIGKILL');
    cpSync(dataDirectory, wholeCopy, { recursive: true });
    await sidecar.start();
    await postAll(url, WHOLE + 1, LATER);
    laterLines = await ledgerLines(url);
    await sidecar.end();
  });

  beforeEach(restoreWhole);

  afterEach(() => sidecar.end('SIGKILL'));

  afterAll(() => sidecar.remove());

  function restoreWhole(): void {
    rmSync(sidecar.dataDirectory, { recursive: true, force: true });
    cpSync(wholeCopy, sidecar.dataDirectory, { recursive: true });
  }

  /** One sentence on what is wrong and what to do, and nothing else. */
  function expectDamaged(said: string | undefined): void {
    expect(said).toMatch(
      /^the ledger at \S+ledger\.mdb is damaged: .+\. Restore the whole directory \S+ from a copy, or move it away .+\n$/,
    );
    expect(said?.split('\n')).toHaveLength(2);
  }

  /** Whole, and as good as any: it takes batches, and reads them back. */
  async function expectWhole(): Promise<void> {
    expect(await ledgerLines(sidecar.url)).toBe(wholeLines);
    await postAll(sidecar.url, WHOLE + 1, LATER);
    await sidecar.end('SIGKILL');
    await sidecar.start();
    expect(await ledgerLines(sidecar.url)).toBe(laterLines);
  }

  /** @returns whether it was refused */
  async function expectRefusedOrWhole(): Promise<boolean> {
    const said = await sidecar.tryStart();
    if (said === undefined) await expectWhole();
    else expectDamaged(said);
    return said !== undefined;
  }

  it(`is refused where the store was cut off, or has all its numbers (${RUNS} cuts, seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const { size } = statSync(store);
    let refused = 0;
    for (let run = 0; run < RUNS; run++) {
      const pages = Math.floor((size / PAGE_BYTES) * random());
      const bytes = pages * PAGE_BYTES + (run % 2) * Math.floor(PAGE_BYTES * random());
      restoreWhole();
      truncateSync(store, bytes);
      if (await expectRefusedOrWhole()) refused += 1;
      await sidecar.end('SIGKILL');
    }
    expect(refused).toBeGreaterThan(RUNS / 3);
  });

  it(`is refused where a bit flipped, or has all its numbers and keeps them (${RUNS} flips, seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const bytes = readFileSync(store);
    const upTo = (count: number): number => Math.floor(random() * count);
    const places = [
      () => upTo(bytes.length),
      // What lmdb believes: the headers of its pages, and its two roots.
      () => upTo(bytes.length / PAGE_BYTES) * PAGE_BYTES + upTo(PAGE_HEADER_BYTES),
      () => upTo(2) * PAGE_BYTES + upTo(ROOT_BYTES),
    ];
    for (let run = 0; run < RUNS; run++) {
      const flipped = Buffer.from(bytes);
      const offset = places[run % places.length]?.() ?? 0;
      flipped.writeUInt8(flipped.readUInt8(offset) ^ (1 << upTo(8)), offset);
      restoreWhole();
      writeFileSync(store, flipped);
      await expectRefusedOrWhole();
      await sidecar.end('SIGKILL');
    }
  });

  it.each([
    ['noise', (size: number) => noise(size)],
    ['zeros', (size: number) => Buffer.alloc(size)],
    ['another file', () => Buffer.from('this is not a store')],
    ['nothing', () => Buffer.alloc(0)],
  ])('is refused where the store was overwritten with %s', async (_with, bytesOf) => {
    writeFileSync(store, bytesOf(statSync(store).size));
    expectDamaged((await sidecar.tryStart()) ?? 'it listens');
  });

  it('is refused where a piece of the store was overwritten', async () => {
    const file = openSync(store, 'r+');
    writeSync(file, noise(4 * PAGE_BYTES), 0, 4 * PAGE_BYTES, 3 * PAGE_BYTES);
    closeSync(file);
    expectDamaged((await sidecar.tryStart()) ?? 'it listens');
  });

  it('is refused where the store was replaced by an older copy, which one may go on from', async () => {
    cpSync(join(olderCopy, 'ledger.mdb'), store);
    const said = (await sidecar.tryStart()) ?? 'it listens';
    expectDamaged(said);
    expect(said).toContain(
      `it ends with transaction ${OLDER}, but ${mark} says that transaction ${WHOLE} was`,
    );
    expect(said).toContain(`If this is an older copy that you put here, remove ${mark}`);
    rmSync(mark);
    await sidecar.start();
    expect(await ledgerLines(sidecar.url)).toBe(olderLines);
  });

  it('is refused where the store was deleted and the mark was not', async () => {
    rmSync(store);
    const said = (await sidecar.tryStart()) ?? 'it listens';
    expectDamaged(said);
    expect(said).toContain('it ends with transaction 0');
  });

  it.each([
    ['noise', noise(17)],
    ['a number of another form', Buffer.from('150\n')],
    ['a longer file', Buffer.from('0000000000000150\n\n')],
  ])('is refused where its mark was overwritten with %s, and goes on without it', async (_with, bytes) => {
    writeFileSync(mark, bytes);
    const said = await sidecar.tryStart();
    expect(said).toBe(
      `${mark} is damaged: expected the number of a transaction. The ledger beside it can be read and ends with ` +
        `transaction ${WHOLE}; remove ${mark} to go on from there\n`,
    );
    rmSync(mark);
    await sidecar.start();
    expect(await ledgerLines(sidecar.url)).toBe(wholeLines);
  });

  it('counts on where its lock was overwritten', async () => {
    writeFileSync(`${store}-lock`, noise(300));
    await sidecar.start();
    await expectWhole();
  });

  it('counts on where a start before it was broken off while it wrote the store anew', async () => {
    cpSync(olderCopy, join(sidecar.dataDirectory, 'renewed'), { recursive: true });
    await sidecar.start();
    expect(existsSync(join(sidecar.dataDirectory, 'renewed'))).toBe(false);
    await expectWhole();
  });
});

describe('a ledger that is damaged while the sidecar runs', () => {
  let sidecar: SidecarProcess;
  let watch: CountersWatch;
  let producer: Producer;
  let store: string;
  let mark: string;
  /** Of earlier numbers. */
  let olderStore: Buffer;

  beforeEach(async () => {
    sidecar = await SidecarProcess.start();
    store = join(sidecar.dataDirectory, 'ledger.mdb');
    mark = join(sidecar.dataDirectory, 'ledger.mark');
    await postAll(sidecar.url, 1, 5);
    await sidecar.end();
    olderStore = readFileSync(store);
    await sidecar.start();
    await postAll(sidecar.url, 6, 30);
    watch = new CountersWatch(sidecar.url);
    producer = new Producer({ sidecar_url: sidecar.url });
    producer.start(1_000);
    await moreAreCounted();
  });

  afterEach(async () => {
    await watch.end().catch(() => undefined);
    await sidecar.remove();
    await producer.close();
  });

  async function moreAreCounted(): Promise<void> {
    const count = async (): Promise<number> =>
      sumOf(await watch.scrape(), 'gatewatch_requests_total', { service: 'orders' });
    const before = await count();
    await eventually(async () => expect(await count()).toBeGreaterThan(before + 200));
  }

  /** Resolves when no batch is on its way: a store that is changed in the middle of a commit may end the process. */
  async function quiet(): Promise<void> {
    producer.pause();
    await eventually(async () => {
      await Promise.resolve();
      expect(producer.undelivered).toBe(0);
    });
  }

  /** Written over the store from its beginning, up to its length: the file is the same, and its content is not. */
  function writeInto(bytes: Buffer): void {
    const file = openSync(store, 'r+');
    writeSync(file, bytes, 0, bytes.length, 0);
    closeSync(file);
  }

  /** And it is ready as soon as everything is delivered, and takes batches as before. */
  async function expectExactAndGoingOn(pid: number): Promise<void> {
    expect(await producer.close()).toBe(0);
    expect(await readiness(sidecar.url)).toBe('200 ready');
    await expectExact({ sidecar, watch, producer, pid });
    expect(await post(sidecar.url, postedBatch(30))).toMatchObject({ result: 'duplicate' });
    expect(await post(sidecar.url, postedBatch(31))).toMatchObject({ result: 'applied' });
  }

  /** Counters stand where they are, batches are refused, and both are said. */
  async function expectRefusal(reason: RegExp): Promise<void> {
    const lines = await ledgerLines(sidecar.url);
    await eventually(async () => expect(await readiness(sidecar.url)).toMatch(/^503 not ready: /));
    expect(await post(sidecar.url, postedBatch(31))).toMatchObject({ status: 503, fault: 'not_durable' });
    expect(await readiness(sidecar.url)).toMatch(reason);
    await sidecar.says(
      new RegExp(
        `${reason.source}.*the ledger cannot be written; batches are refused and the producers keep them`,
      ),
    );
    const samples = await watch.scrape();
    expect(sumOf(samples, 'gatewatch_ledger_writable')).toBe(0);
    expect(sumOf(samples, 'gatewatch_ledger_failed_commits_total')).toBeGreaterThan(0);
    expect(await ledgerLines(sidecar.url)).toBe(lines);
  }

  const MENDED: readonly (readonly [what: string, damage: () => void | Promise<void>, said: string])[] = [
    [
      'its directory is deleted',
      () => rmSync(sidecar.dataDirectory, { recursive: true }),
      'was deleted while the sidecar ran; it is written again from memory',
    ],
    [
      'its store is deleted',
      () => rmSync(store),
      'was deleted while the sidecar ran; it is written again from memory',
    ],
    ['its lock is deleted', () => rmSync(`${store}-lock`), 'was deleted or exchanged while the sidecar ran'],
    ['its mark is deleted', () => rmSync(mark), 'was deleted or exchanged while the sidecar ran'],
    [
      'its store is cut off to nothing',
      () => quiet().then(() => truncateSync(store, 0)),
      'was cut off while the sidecar ran; it is written again from memory',
    ],
    [
      'its store is cut off in the middle',
      () => quiet().then(() => truncateSync(store, statSync(store).size / 2)),
      'was cut off while the sidecar ran; it is written again from memory',
    ],
    [
      'a shorter copy is written into its store',
      () => quiet().then(() => writeFileSync(store, olderStore.subarray(0, 4 * PAGE_BYTES))),
      'was cut off while the sidecar ran; it is written again from memory',
    ],
  ];

  it(`mends it from memory and says so, whatever of ${MENDED.length} things happens to its files (${RUNS} times, seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const { pid } = sidecar;
    const told = (said: string): number =>
      sidecar.output.split('\n').filter((line) => line.includes('"reason"') && line.includes(said)).length;
    const order = MENDED.map((one) => ({ one, at: random() })).sort((left, right) => left.at - right.at);
    for (let run = 0; run < RUNS; run++) {
      const [what = '', damage, said = ''] = order[run % order.length]?.one ?? [];
      const before = told(said);
      await damage?.();
      await eventually(async () => {
        await Promise.resolve();
        expect([what, told(said)]).toEqual([what, before + 1]);
      });
      producer.start(1_000);
      await moreAreCounted();
    }
    await expectExactAndGoingOn(pid);
  });

  /** What is not mended from memory, since somebody put it there: how it is done and undone, and what is said. */
  const REFUSED: readonly (readonly [what: string, exchange: () => Promise<() => void>, said: RegExp])[] = [
    [
      'its store is exchanged for an older copy',
      () => {
        const aside = join(sidecar.directory, 'aside.mdb');
        renameSync(store, aside);
        writeFileSync(store, olderStore);
        return Promise.resolve(() => renameSync(aside, store));
      },
      /ledger\.mdb was exchanged for another file while the sidecar ran\. Put it back/,
    ],
    [
      'its store holds an older copy',
      async () => {
        await quiet();
        const own = readFileSync(store);
        writeInto(olderStore);
        return () => writeInto(own);
      },
      /is damaged: it ends with transaction 5, but \S+ says that transaction \d+ was written/,
    ],
    [
      'its store holds that of another sidecar',
      async () => {
        const elsewhere = join(sidecar.directory, 'elsewhere');
        const other = Ledger.open(elsewhere);
        // Further than this one's mark.
        for (let sequence = 1; sequence <= 200; sequence++) {
          const batch = batchOf([deltaOf({}, [sequence])], sequence);
          await other.apply(batch, encodeBatch(batch), Date.now(), 100);
        }
        await other.close();
        await quiet();
        const own = readFileSync(store);
        writeInto(readFileSync(join(elsewhere, 'ledger.mdb')));
        return () => writeInto(own);
      },
      /ledger\.mdb does not hold what the sidecar wrote: something else wrote into it/,
    ],
  ];

  it(`refuses batches while another store is in its place, and goes on when its own is put back (seed ${SEED})`, async () => {
    const { pid } = sidecar;
    const some = RUNS > 10 ? REFUSED : REFUSED.filter((_one, index) => index !== 1 + (SEED % 2));
    for (const [, exchange, said] of some) {
      const putBack = await exchange();
      producer.start(1_000);
      await expectRefusal(said);
      putBack();
      await moreAreCounted();
    }
    await expectExactAndGoingOn(pid);
  });
});

describe('two sidecars on one directory', () => {
  const IN_USE =
    /^the ledger at \S+ledger\.mdb is in use by another process: two sidecars cannot share a directory\. Stop the other one, or give this one its own data_dir\n$/;

  it('are one: the second ends with a sentence, the first goes on, and after it the second may', async () => {
    const first = await SidecarProcess.start();
    const link = join(first.directory, 'link');
    symlinkSync(first.dataDirectory, link);
    const others = await Promise.all([
      SidecarProcess.prepare({ dataDirectory: first.dataDirectory }),
      SidecarProcess.prepare({ dataDirectory: link }),
    ]);
    const watch = new CountersWatch(first.url);
    const producer = new Producer({ sidecar_url: first.url });
    try {
      producer.start(1_000);
      for (const said of await Promise.all(others.map((other) => other.tryStart())))
        expect(said).toMatch(IN_USE);
      expect(await producer.close()).toBe(0);
      expect(await readiness(first.url)).toBe('200 ready');
      const samples = await watch.end();
      expect(watch.faults).toEqual([]);
      expect(sumOf(samples, 'gatewatch_requests_total')).toBe(producer.total);
      expect(sumOf(samples, 'gatewatch_ledger_failed_commits_total')).toBe(0);

      const lines = await ledgerLines(first.url);
      // It waits for the first, which is about to end.
      const [second] = others;
      const started = second.tryStart();
      await first.end();
      expect(await started).toBeUndefined();
      expect(await ledgerLines(second.url)).toBe(lines);
    } finally {
      await producer.close();
      await Promise.all([first, ...others].map((sidecar) => sidecar.remove()));
    }
  });
});

describeWith('unshare', 'two sidecars on one directory, in two containers', (unshare) => {
  describeAsRoot('where both have the same process number', () => {
    it('are one: the check of the second says that the first has it', async () => {
      const inContainer = (command: readonly string[]): string[] => [
        ...[unshare, '--pid', '--fork', '--kill-child', '--mount-proc'],
        ...command,
      ];
      const first = await SidecarProcess.prepare({ wrap: inContainer });
      try {
        await first.start();
        await postAll(first.url, 1, 3);
        const [program = '', ...args] = inContainer([process.execPath, CHECK, first.dataDirectory]);
        const second = new RunningProgram(program, args);
        expect((await second.ended).code).toBe(1);
        expect(second.output).toContain(
          'is in use by another process: two sidecars cannot share a directory',
        );
        await postAll(first.url, 4, 6);
        expect(await readiness(first.url)).toBe('200 ready');
      } finally {
        await first.remove();
      }
    });
  });
});

function noise(bytes: number): Buffer {
  const random = seededRandom(SEED);
  return Buffer.from(Array.from({ length: bytes }, () => Math.floor(256 * random())));
}
