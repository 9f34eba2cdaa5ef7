// A recording is lines of JSON: each batch that was counted, as it came, with what the clocks showed then (Unix ms), and between them
// where something is missing. In: a line's content. Out: the line, and back.
//
//   {"receivedMs":1700000000123,"sentAtMs":1700000000120,"batch":{...}}
//   {"startedMs":1700000000000}    the sidecar started: since the line before nothing came in, and producers may deliver it now
//   {"resumedMs":1700000000000}    batches since the line before came in, but are not in the recording
import type { Batch } from '../../kong-plugin/contract/batch';
import { readBatchAgain } from './read-batch';

export interface BatchTimes {
  /** The sidecar's clock when it came. */
  readonly receivedMs: number;
  /** The producer's when it sent it. */
  readonly sentAtMs: number;
}

export const MARKS = ['started', 'resumed'] as const;

export type Mark = (typeof MARKS)[number];

export type RecordedLine =
  | ({ readonly kind: 'batch'; readonly batch: Batch } & BatchTimes)
  | { readonly kind: Mark; readonly atMs: number }
  | { readonly kind: 'damaged'; readonly why: string };

/** @param sealed the batch's bytes, which hold no line break: `readBatch` takes only the plugin's own encoding */
export function batchLine({ receivedMs, sentAtMs }: BatchTimes, sealed: Uint8Array): Buffer {
  const head = `{"receivedMs":${receivedMs},"sentAtMs":${sentAtMs},"batch":`;
  return Buffer.concat([Buffer.from(head), sealed, Buffer.from('}\n')]);
}

export function markLine(mark: Mark, atMs: number): Buffer {
  return Buffer.from(`{"${mark}Ms":${atMs}}\n`);
}

const HEAD = /^\{"receivedMs":(\d{1,15}),"sentAtMs":(\d{1,15}),"batch":/;
const LONGEST_HEAD = 80;
const MARK = /^\{"(started|resumed)Ms":(\d{1,15})\}$/;
const CLOSING_BRACE = 0x7d;

/** @param line without its line break */
export function readRecordedLine(line: Uint8Array): RecordedLine {
  const start = Buffer.from(line.subarray(0, LONGEST_HEAD)).toString('latin1');
  const [head, receivedMs, sentAtMs] = HEAD.exec(start) ?? [];
  if (head === undefined) {
    const [, word, atMs] = MARK.exec(start) ?? [];
    const mark = MARKS.find((known) => known === word);
    if (mark !== undefined) return { kind: mark, atMs: Number(atMs) };
    return { kind: 'damaged', why: 'expected a recorded batch, found something else' };
  }
  if (line.at(-1) !== CLOSING_BRACE) return { kind: 'damaged', why: 'the line ends too early' };
  const read = readBatchAgain(line.subarray(head.length, -1));
  if (!read.ok) return { kind: 'damaged', why: read.fault.message };
  return {
    kind: 'batch',
    batch: read.batch,
    receivedMs: Number(receivedMs),
    sentAtMs: Number(sentAtMs),
  };
}
