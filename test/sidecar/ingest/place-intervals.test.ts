import { placeIntervals } from '../../../sidecar/ingest/place-intervals';

const SENT_MS = 1_700_000_000_000;

function placeOf(startMs: number, durationMs: number, receivedMs: number): number | undefined {
  return placeIntervals([{ startMs, durationMs, deltas: [] }], SENT_MS, receivedMs)[0]?.atMs;
}

describe('an interval', () => {
  it('is placed at its middle when the clocks agree', () => {
    expect(placeOf(SENT_MS - 10_000, 1_000, SENT_MS)).toBe(SENT_MS - 9_500);
  });

  it('is placed by its age when the producer is an hour ahead or behind', () => {
    for (const skewMs of [-3_600_000, 3_600_000]) {
      const receivedMs = SENT_MS + skewMs;
      expect(placeOf(SENT_MS - 10_000, 1_000, receivedMs)).toBe(receivedMs - 9_500);
    }
  });

  it('is never placed in the future, as after a clock was set back while it was collected', () => {
    expect(placeOf(SENT_MS + 60_000, 1_000, SENT_MS)).toBe(SENT_MS);
  });
});
