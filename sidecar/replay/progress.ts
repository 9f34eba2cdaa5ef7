// How far a replay is, on a terminal as a bar, elsewhere as a line every few seconds.
import { SingleBar } from 'cli-progress';
import { describeTime } from '../notify/describe-time';
import type { OnProgress } from './run-replay';

export interface Progress {
  readonly update: OnProgress;
  /** Nothing is written after it. */
  stop(): void;
}

export type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

const LINE_EVERY_MS = 5_000;

/** @param monotonicMs ms since an arbitrary start */
export function showProgress(stream: ProgressStream, monotonicMs: () => number): Progress {
  return stream.isTTY === true ? bar(stream) : lines(stream, monotonicMs);
}

function bar(stream: NodeJS.WritableStream): Progress {
  const format = 'replay [{bar}] {percentage}%  {at}';
  const own = new SingleBar({ format, stream, clearOnComplete: true, hideCursor: true, barsize: 30 });
  own.start(1, 0, { at: '' });
  return {
    update: (share, atMs) => own.update(share, { at: describeTime(atMs) }),
    stop: () => own.stop(),
  };
}

function lines(stream: NodeJS.WritableStream, monotonicMs: () => number): Progress {
  let toldMs = monotonicMs();
  return {
    update: (share, atMs) => {
      const nowMs = monotonicMs();
      if (nowMs - toldMs < LINE_EVERY_MS) return;
      toldMs = nowMs;
      stream.write(`replay: ${Math.floor(share * 100)} %, ${describeTime(atMs)}\n`);
    },
    stop: () => undefined,
  };
}
