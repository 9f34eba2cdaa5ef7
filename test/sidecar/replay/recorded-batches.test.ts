import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeBatch } from '../../../kong-plugin/contract/batch';
import { batchLine, markLine } from '../../../sidecar/ingest/recorded-line';
import { PastFault, type PastEvent, type TimeRange } from '../../../sidecar/replay/past';
import { openRecording } from '../../../sidecar/replay/recorded-batches';
import { deltaOf } from '../../support/batches';
import { record, storyBatch, temporaryFolder } from '../../support/recorded-story';

const NOON = Date.parse('2026-11-28T12:00:00Z');
const DAY_MS = 86_400_000;
const EVERYTHING: TimeRange = { startMs: undefined, endMs: undefined };

const one = (receivedMs: number, sequence = 1) => storyBatch(receivedMs, sequence, [deltaOf({}, [10])]);

function lineOf(receivedMs: number, sequence = 1): Buffer {
  const { batch, ...times } = one(receivedMs, sequence);
  return batchLine(times, encodeBatch(batch));
}

describe('recorded batches', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder, 'batches-2026-11-28.ndjson');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function read(
    path = folder,
    range = EVERYTHING,
  ): Promise<{ events: PastEvent[]; unseen: readonly string[]; progress: number }> {
    const past = await openRecording(path, range);
    const events: PastEvent[] = [];
    for await (const event of past.events()) events.push(event);
    return { events, unseen: past.unseen(), progress: past.progress() };
  }

  it('come in the order of time out of all files of a directory, placed by the age of their intervals', async () => {
    await record(folder, [one(NOON), one(NOON + 1_000, 2), one(NOON + DAY_MS, 3)]);
    const { events, unseen, progress } = await read();
    expect(events.map(({ knownMs, placed }) => [knownMs, placed[0]?.atMs])).toEqual([
      [NOON, NOON - 1_000],
      [NOON + 1_000, NOON],
      [NOON + DAY_MS, NOON + DAY_MS - 1_000],
    ]);
    expect([unseen, progress]).toEqual([[], 1]);
  });

  it('are taken from one file too, and from a packed one, but not from both of a day', async () => {
    await record(folder, [one(NOON)]);
    expect((await read(file)).events).toHaveLength(1);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
    expect((await read()).events).toHaveLength(1);
    rmSync(file);
    expect((await read()).events).toHaveLength(1);
  });

  it('are put in order within a few seconds', async () => {
    writeFileSync(file, Buffer.concat([0, 2, 1, 3].map((second) => lineOf(NOON + second * 1_000))));
    const { events, unseen } = await read();
    expect(events.map(({ knownMs }) => (knownMs - NOON) / 1_000)).toEqual([0, 1, 2, 3]);
    expect(unseen).toEqual([]);
  });

  it('go on evenly where the clock was set back', async () => {
    const hour = 3_600_000;
    writeFileSync(file, Buffer.concat([lineOf(NOON), lineOf(NOON - hour), lineOf(NOON - hour + 1_000)]));
    const { events, unseen } = await read();
    expect(events.map(({ knownMs }) => knownMs - NOON)).toEqual([0, 0, 1_000]);
    expect(events[2]?.placed[0]?.atMs).toBe(NOON);
    expect(unseen).toEqual([
      "The sidecar's clock was set back once; times after that are later than told then.",
    ]);
  });

  it('are told by file and line where they cannot be read, and the others count', async () => {
    writeFileSync(file, lineOf(NOON));
    appendFileSync(file, 'nothing of ours\n');
    appendFileSync(file, lineOf(NOON + 1_000).subarray(0, 100));
    appendFileSync(file, '\n');
    appendFileSync(file, lineOf(NOON + 2_000));
    const { events, unseen } = await read();
    expect(events).toHaveLength(2);
    expect(unseen).toEqual([
      `2 lines of the recording could not be read and are left out: ${file}:2: expected a recorded batch, found something ` +
        `else; ${file}:3: the line ends too early.`,
    ]);
  });

  it('are told as damaged at the end of a packed file that is not whole', async () => {
    const lines = Array.from({ length: 3_000 }, (_, index) => lineOf(NOON + index));
    const packed = gzipSync(Buffer.concat(lines));
    writeFileSync(`${file}.gz`, packed.subarray(0, packed.length / 2));
    const { events, unseen } = await read();
    expect(events.length).toBeGreaterThan(0);
    expect(events.length).toBeLessThan(3_000);
    expect(unseen[0]).toMatch(/\.gz:\d+: the rest of the packed file \(Z_BUF_ERROR\)/);
  });

  it('pass over a line that is longer than any batch without holding it', async () => {
    writeFileSync(file, Buffer.concat([lineOf(NOON), Buffer.alloc(5_000_000, 'x'), Buffer.from('\n')]));
    appendFileSync(file, lineOf(NOON + 1_000));
    const { events, unseen } = await read();
    expect(events).toHaveLength(2);
    expect(unseen[0]).toContain(`${file}:2: the line is too long`);
  });

  it('have a gap before a start, which the producers that lived may fill, and one that nobody fills before a resume', async () => {
    writeFileSync(
      file,
      Buffer.concat([
        markLine('started', NOON - 5_000),
        lineOf(NOON),
        markLine('started', NOON + 60_000),
        lineOf(NOON + 61_000, 2),
        markLine('resumed', NOON + 120_000),
        lineOf(NOON + 120_000, 3),
      ]),
    );
    const { events } = await read();
    expect(events.map(({ gap }) => gap)).toEqual([
      undefined,
      { fromMs: NOON, toMs: NOON + 60_000, producers: ['producer-1'] },
      undefined,
      { fromMs: NOON + 61_000, toMs: NOON + 120_000, producers: [] },
      undefined,
    ]);
    expect(events[2]?.delivery).toEqual({
      producer: 'producer-1',
      beforeMs: NOON + 59_500,
      isHeartbeat: false,
    });
  });

  it('are only those of the time that is asked for', async () => {
    await record(folder, [one(NOON), one(NOON + 20_000, 2), one(NOON + 40_000, 3), one(NOON + DAY_MS, 4)]);
    const { events } = await read(folder, { startMs: NOON + 20_000, endMs: NOON + 40_000 });
    expect(events.map(({ knownMs }) => knownMs - NOON)).toEqual([20_000, 40_000]);
  });

  it('are missed aloud where there are none', async () => {
    await expect(openRecording(folder, EVERYTHING)).rejects.toThrow(
      new PastFault(`${folder} holds no recorded batches of that time (batches-YYYY-MM-DD.ndjson)`),
    );
    await expect(openRecording(file, EVERYTHING)).rejects.toThrow(
      new PastFault(`${file} cannot be read: ENOENT`),
    );
  });
});
