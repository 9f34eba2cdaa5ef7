import fc from 'fast-check';
import { noStatistics } from '../../kong-plugin/accumulator';
import { MAX_SEALED_BYTES, type BatchDocument } from '../../kong-plugin/contract/batch';
import { sealBatches } from '../../kong-plugin/seal-batches';
import { readBatch } from '../../sidecar/ingest/read-batch';
import { arbitraryIntervals, deltaOf } from '../support/batches';

describe('sealing', () => {
  it('gives one batch of nothing for nothing, as a sign of life', () => {
    const sealed = sealBatches({ intervals: [], statistics: noStatistics() }, 'p', 5, null);
    expect(sealed).toHaveLength(1);
    expect(sealed[0]).toMatchObject({ producer: 'p', sequence: 5, requests: 0 });
    expect(readBatch(sealed[0]?.bytes ?? Buffer.alloc(0)).ok).toBe(true);
  });

  it('keeps 50,000 series in batches of at most 1 MB', () => {
    const deltas = Array.from({ length: 50_000 }, (_, index) =>
      deltaOf({ operation: `GET route-${index}` }, [index]),
    );
    const intervals = [{ startMs: 0, durationMs: 1_000, deltas }];
    const sealed = sealBatches({ intervals, statistics: noStatistics() }, 'p', 1, null);
    expect(sealed.length).toBeGreaterThan(5);
    expect(Math.max(...sealed.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(MAX_SEALED_BYTES);
    expect(sealed.reduce((sum, { requests }) => sum + requests, 0)).toBe(50_000);
  });

  it('splits without losing, doubling or moving anything, and the sidecar takes every part', () => {
    fc.assert(
      fc.property(arbitraryIntervals, fc.integer({ min: 1, max: 2_000 }), (intervals, maxBytes) => {
        const statistics = { ...noStatistics(), events: 3 };
        const sealed = sealBatches({ intervals, statistics }, 'p', 7, null, maxBytes);
        const documents = sealed.map(({ bytes }) => JSON.parse(bytes.toString()) as BatchDocument);
        expect(sealed.map(({ sequence }) => sequence)).toEqual(sealed.map((_, index) => 7 + index));
        expect(documents.map((document) => document.sequence)).toEqual(
          sealed.map(({ sequence }) => sequence),
        );
        expect(documents.map((document) => document.statistics.events)).toEqual(
          sealed.map((_, index) => (index === 0 ? 3 : 0)),
        );
        for (const [index, { bytes }] of sealed.entries()) {
          expect(readBatch(bytes).ok).toBe(true);
          const deltas = documents[index]?.intervals.flatMap((interval) => interval.deltas) ?? [];
          if (deltas.length > 1) expect(bytes.length).toBeLessThanOrEqual(maxBytes);
        }
        const rows = (from: readonly { startMs: number; deltas: readonly unknown[] }[]): string[] =>
          from.flatMap(({ startMs, deltas }) => deltas.map((delta) => JSON.stringify([startMs, delta])));
        const whole = JSON.parse(
          sealBatches({ intervals, statistics }, 'p', 7, null, Infinity)[0]?.bytes.toString() ?? '',
        ) as BatchDocument;
        expect(rows(documents.flatMap((document) => document.intervals))).toEqual(rows(whole.intervals));
      }),
      { numRuns: 300, seed: 12 },
    );
  });
});
