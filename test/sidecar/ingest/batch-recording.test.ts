import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { encodeBatch } from '../../../kong-plugin/contract/batch';
import type { RecordingSettings } from '../../../sidecar/config/config';
import { BatchRecording, MOST_WAITING_BYTES } from '../../../sidecar/ingest/batch-recording';
import { batchLine, readRecordedLine } from '../../../sidecar/ingest/recorded-line';
import { arbitraryIntervals, batchOf, deltaOf } from '../../support/batches';
import { captureLog } from '../../support/captured-log';
import { temporaryFolder } from '../../support/recorded-story';

const DAY_MS = 86_400_000;
const NOON = Date.parse('2026-11-28T12:00:00Z');

function sealed(sequence: number): Buffer {
  return encodeBatch(batchOf([deltaOf({}, [sequence])], sequence));
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

describe('the recording of batches', () => {
  let folder: string;
  beforeEach(() => (folder = temporaryFolder()));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function start(changes: Partial<RecordingSettings> = {}) {
    const log = captureLog();
    const held: { settings: RecordingSettings | undefined } = {
      settings: { directory: join(folder, 'recorded'), keepMs: 2 * DAY_MS, ...changes },
    };
    return { log, held, recording: new BatchRecording(() => held.settings, log.logger, NOON - 1_000) };
  }

  it('writes each batch as it came to a file of its day, behind when the sidecar started', async () => {
    const { recording } = start();
    recording.add({ receivedMs: NOON, sentAtMs: NOON - 3 }, sealed(1));
    recording.add({ receivedMs: NOON + DAY_MS, sentAtMs: NOON + DAY_MS }, sealed(2));
    await recording.close();
    const directory = join(folder, 'recorded');
    expect(readdirSync(directory)).toEqual(['batches-2026-11-28.ndjson', 'batches-2026-11-29.ndjson']);
    expect(linesOf(join(directory, 'batches-2026-11-28.ndjson'))).toEqual([
      `{"startedMs":${NOON - 1_000}}`,
      `{"receivedMs":${NOON},"sentAtMs":${NOON - 3},"batch":${sealed(1).toString()}}`,
    ]);
    expect(linesOf(join(directory, 'batches-2026-11-29.ndjson'))).toHaveLength(1);
    expect([recording.recorded, recording.lost]).toEqual([2, 0]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'batches-2026-11-28.ndjson')).mode & 0o777).toBe(0o600);
  });

  it('goes on in the file of the day, and a line that broke off there stays one of its own', async () => {
    const file = join(folder, 'batches-2026-11-28.ndjson');
    writeFileSync(file, '{"receivedMs":17');
    const { recording } = start({ directory: folder });
    recording.add({ receivedMs: NOON, sentAtMs: NOON }, sealed(1));
    await recording.close();
    expect(linesOf(file).map((line) => readRecordedLine(Buffer.from(line)).kind)).toEqual([
      'damaged',
      'started',
      'batch',
    ]);
  });

  it('removes the files of days that ended before what is kept, and nothing else', async () => {
    for (const name of [
      'batches-2026-11-24.ndjson',
      'batches-2026-11-25.ndjson.gz',
      'batches-2026-11-26.ndjson',
      'notes',
    ])
      writeFileSync(join(folder, name), '');
    const { recording } = start({ directory: folder });
    recording.add({ receivedMs: NOON, sentAtMs: NOON }, sealed(1));
    await recording.close();
    expect(readdirSync(folder).sort()).toEqual([
      'batches-2026-11-26.ndjson',
      'batches-2026-11-28.ndjson',
      'notes',
    ]);
  });

  it('logs the first of faults in a row, counts what was lost, and says that it is missing', async () => {
    const directory = join(folder, 'in-the-way');
    writeFileSync(directory, 'a file, not a folder');
    const { recording, log } = start({ directory });
    for (const sequence of [1, 2, 3]) {
      recording.add({ receivedMs: NOON + sequence, sentAtMs: NOON }, sealed(sequence));
      await recording.close();
    }
    expect([recording.recorded, recording.lost]).toEqual([0, 3]);
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toContain('batches cannot be recorded');

    rmSync(directory);
    mkdirSync(directory);
    recording.add({ receivedMs: NOON + 4, sentAtMs: NOON }, sealed(4));
    await recording.close();
    expect(linesOf(join(directory, 'batches-2026-11-28.ndjson'))[0]).toBe(`{"resumedMs":${NOON + 4}}`);
    expect([recording.recorded, recording.lost]).toEqual([1, 3]);
  });

  it('holds no more than it may while the disk is slow, and says that something is missing', async () => {
    const { recording } = start({ directory: folder });
    const large = Buffer.alloc(MOST_WAITING_BYTES / 4, 'x');
    for (let index = 0; index < 5; index++) recording.add({ receivedMs: NOON, sentAtMs: NOON }, large);
    await recording.close();
    expect([recording.recorded, recording.lost]).toEqual([3, 2]);
    recording.add({ receivedMs: NOON + 9, sentAtMs: NOON }, sealed(1));
    await recording.close();
    expect(linesOf(join(folder, 'batches-2026-11-28.ndjson')).at(-2)).toBe(`{"resumedMs":${NOON + 9}}`);
  });

  it('writes nothing while it is off, and says so when a reload turns it on again', async () => {
    const { recording, held } = start();
    const { settings } = held;
    held.settings = undefined;
    recording.add({ receivedMs: NOON, sentAtMs: NOON }, sealed(1));
    await recording.close();
    expect(existsSync(join(folder, 'recorded'))).toBe(false);
    held.settings = settings;
    recording.add({ receivedMs: NOON + 5, sentAtMs: NOON }, sealed(2));
    await recording.close();
    expect(linesOf(join(folder, 'recorded', 'batches-2026-11-28.ndjson'))[0]).toBe(
      `{"resumedMs":${NOON + 5}}`,
    );
  });
});

describe('a recorded line', () => {
  it('is read as what was written, for any batch', () => {
    fc.assert(
      fc.property(arbitraryIntervals, fc.nat(), fc.nat(), (intervals, receivedMs, sentAtMs) => {
        const batch = { ...batchOf([]), intervals };
        const line = batchLine({ receivedMs, sentAtMs }, encodeBatch(batch));
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(readRecordedLine(line.subarray(0, -1))).toEqual({
          kind: 'batch',
          batch,
          receivedMs,
          sentAtMs,
        });
      }),
      { numRuns: 100 },
    );
  });

  it('is damaged wherever it ends too early', () => {
    const line = batchLine({ receivedMs: NOON, sentAtMs: NOON }, sealed(1)).subarray(0, -1);
    for (let length = 1; length < line.length; length++)
      expect(readRecordedLine(line.subarray(0, length)).kind).toBe('damaged');
  });
});
