// The past from the recording of a sidecar: one of its files, or a directory of them, packed with gzip or not. Batches are placed as they
// were when they came, so a replay knows what the sidecar knew and no more.
// Lines are recorded once their batch is on disk, not quite in the order in which the batches came: they are put in order within
// LOOK_AHEAD_MS. A step back of more than that is a clock that was set; time goes on evenly over it. Lines that cannot be read are told by
// file and line and left out. Reads as a stream: what it holds is a few seconds of the recording.
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { MAX_BODY_BYTES } from '../../kong-plugin/contract/batch';
import { SILENT_AFTER_MS } from '../../kong-plugin/contract/heartbeat';
import { errorCodeOf } from '../error-code';
import { placeIntervals } from '../ingest/place-intervals';
import { readRecordedLine, type RecordedLine } from '../ingest/recorded-line';
import { dayOfFile } from '../ingest/recording-files';
import { deliveryOf } from '../window/coverage';
import { linesOf } from './lines-of';
import { PastFault, type Past, type PastEvent, type TimeRange } from './past';

const LOOK_AHEAD_MS = 10_000;
/** A batch at its longest, and what stands around it. */
const MOST_LINE_BYTES = MAX_BODY_BYTES + 1_024;
const MOST_TOLD_LINES = 10;

interface RecordingFile {
  readonly path: string;
  readonly bytes: number;
}

/** @throws PastFault where there is no recording */
export async function openRecording(path: string, range: TimeRange): Promise<Past> {
  let files: RecordingFile[];
  try {
    files = await filesOf(path, range);
  } catch (error) {
    throw new PastFault(`${path} cannot be read: ${errorCodeOf(error)}`);
  }
  if (files.length === 0)
    throw new PastFault(`${path} holds no recorded batches of that time (batches-YYYY-MM-DD.ndjson)`);
  return new RecordedBatches(files, range);
}

async function filesOf(path: string, range: TimeRange): Promise<RecordingFile[]> {
  const found = await stat(path);
  if (!found.isDirectory()) return [{ path, bytes: found.size }];
  const names = (await readdir(path)).sort();
  const { startMs = -Infinity, endMs = Infinity } = range;
  const wanted = names.filter((name) => {
    const day = dayOfFile(name);
    const isPackedToo = name.endsWith('.gz') && names.includes(name.slice(0, -3));
    return day !== undefined && !isPackedToo && day.toMs > startMs && day.fromMs <= endMs;
  });
  return Promise.all(
    wanted.map(async (name) => ({ path: join(path, name), bytes: (await stat(join(path, name))).size })),
  );
}

class RecordedBatches implements Past {
  readonly #files: readonly RecordingFile[];
  readonly #range: TimeRange;
  readonly #bytes: number;
  #readBytes = 0;
  readonly #order = new TimeOrder();
  /** Producer -> when its last batch came, Unix ms. */
  readonly #lastSeenMs = new Map<string, number>();
  #damaged = 0;
  readonly #damagedLines: string[] = [];

  constructor(files: readonly RecordingFile[], range: TimeRange) {
    this.#files = files;
    this.#range = range;
    this.#bytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  progress(): number {
    return this.#bytes === 0 ? 1 : Math.min(1, this.#readBytes / this.#bytes);
  }

  unseen(): readonly string[] {
    const sentences: string[] = [];
    const { setBack } = this.#order;
    if (setBack > 0) {
      const times = setBack === 1 ? 'once' : `${setBack} times`;
      sentences.push(`The sidecar's clock was set back ${times}; times after that are later than told then.`);
    }
    if (this.#damaged === 0) return sentences;
    const lines = this.#damaged === 1 ? '1 line' : `${this.#damaged} lines`;
    const rest = this.#damaged - this.#damagedLines.length;
    const told = [...this.#damagedLines, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
    return [
      ...sentences,
      `${lines} of the recording could not be read and ${lines === '1 line' ? 'is' : 'are'} left out: ${told}.`,
    ];
  }

  async *events(): AsyncGenerator<PastEvent> {
    for (const { path } of this.#files) {
      let number = 0;
      try {
        for await (const lines of linesOf(this.#piecesOf(path), MOST_LINE_BYTES)) {
          for (const line of lines) {
            number += 1;
            if (line?.length === 0) continue;
            const read = line
              ? readRecordedLine(line)
              : { kind: 'damaged' as const, why: 'the line is too long' };
            if (read.kind === 'damaged') this.#tellDamage(`${path}:${number}: ${read.why}`);
            else yield* this.#inRange(this.#take(read));
          }
          if (this.#isPastEnd()) break;
        }
      } catch (error) {
        const code = errorCodeOf(error);
        if (!code.startsWith('Z_')) throw new PastFault(`${path} cannot be read: ${code}`);
        this.#tellDamage(`${path}:${number + 1}: the rest of the packed file (${code})`);
      }
    }
    yield* this.#inRange(this.#order.takeAll());
  }

  async *#piecesOf(path: string): AsyncGenerator<Buffer> {
    const stream = createReadStream(path, { highWaterMark: 1024 * 1024 });
    stream.on('data', (piece) => (this.#readBytes += piece.length));
    const pieces = path.endsWith('.gz') ? stream.pipe(createGunzip()) : stream;
    if (pieces !== stream) stream.on('error', (error) => pieces.destroy(error));
    try {
      yield* pieces as AsyncIterable<Buffer>;
    } finally {
      stream.destroy();
    }
  }

  #tellDamage(text: string): void {
    this.#damaged += 1;
    if (this.#damagedLines.length < MOST_TOLD_LINES) this.#damagedLines.push(text);
  }

  /** What has found its place in time with this line. */
  #take(read: Exclude<RecordedLine, { kind: 'damaged' }>): readonly PastEvent[] {
    if (read.kind !== 'batch') return this.#takeMark(read.kind, read.atMs);
    const { batch, receivedMs, sentAtMs } = read;
    const knownMs = this.#order.timeOf(receivedMs);
    if (batch.isGoodbye) this.#lastSeenMs.delete(batch.producer);
    else this.#lastSeenMs.set(batch.producer, knownMs);
    return this.#order.add({
      knownMs,
      placed: placeIntervals(batch.intervals, sentAtMs, knownMs),
      delivery: deliveryOf(batch, sentAtMs, knownMs),
    });
  }

  #takeMark(mark: 'started' | 'resumed', atMs: number): readonly PastEvent[] {
    const fromMs = this.#order.newestMs;
    if (fromMs === undefined) return [];
    const before = this.#order.takeAll();
    const toMs = this.#order.timeOf(atMs);
    const alive = [...this.#lastSeenMs].filter(([, seenMs]) => seenMs > fromMs - SILENT_AFTER_MS);
    // What came in but was not recorded will not come again.
    const producers = mark === 'started' ? alive.map(([producer]) => producer) : [];
    return [...before, ...this.#order.add({ knownMs: toMs, placed: [], gap: { fromMs, toMs, producers } })];
  }

  *#inRange(events: readonly PastEvent[]): Generator<PastEvent> {
    const { startMs = -Infinity, endMs = Infinity } = this.#range;
    for (const event of events) if (event.knownMs >= startMs && event.knownMs <= endMs) yield event;
  }

  #isPastEnd(): boolean {
    return (this.#order.newestMs ?? -Infinity) > (this.#range.endMs ?? Infinity) + LOOK_AHEAD_MS;
  }
}

/** Puts events in the order of time, on a clock that never goes back. */
class TimeOrder {
  setBack = 0;
  #aheadMs = 0;
  #newestMs: number | undefined;
  #held: PastEvent[] = [];

  /** The latest time that was seen; `undefined` before the first. */
  get newestMs(): number | undefined {
    return this.#newestMs;
  }

  /** What a time as it was written down is on the even clock. */
  timeOf(writtenMs: number): number {
    const newestMs = this.#newestMs ?? writtenMs;
    if (writtenMs + this.#aheadMs < newestMs - LOOK_AHEAD_MS) {
      this.#aheadMs = newestMs - writtenMs;
      this.setBack += 1;
    }
    const ms = writtenMs + this.#aheadMs;
    this.#newestMs = Math.max(newestMs, ms);
    return ms;
  }

  /** Those that nothing can come before any more. */
  add(event: PastEvent): readonly PastEvent[] {
    const at = this.#held.findLastIndex(({ knownMs }) => knownMs <= event.knownMs) + 1;
    this.#held.splice(at, 0, event);
    const newestMs = this.#newestMs ?? event.knownMs;
    const ready = this.#held.findIndex(({ knownMs }) => knownMs > newestMs - LOOK_AHEAD_MS);
    return ready > 0 ? this.#held.splice(0, ready) : [];
  }

  takeAll(): readonly PastEvent[] {
    return this.#held.splice(0);
  }
}
