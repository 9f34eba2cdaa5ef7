import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { computeLatencies } from '../../../kong/embedded/latencies';

const LOGS = resolve(__dirname, '../../fixtures/kong/logs');

interface RecordedLog {
  started_at: number;
  latencies: { request: number; kong: number; proxy: number; receive: number };
  tries?: { balancer_start_ns: number; balancer_latency_ns: number }[];
}

const recordings = readdirSync(LOGS).map(
  (file) => [file, JSON.parse(readFileSync(join(LOGS, file), 'utf8')) as RecordedLog] as const,
);

describe("Kong's latency arithmetic", () => {
  const proxied = recordings.filter(([, { tries }]) => (tries ?? []).length > 0);

  it.each(proxied)('gives what a real Kong gave, within 1 ms: %s', (_file, log) => {
    const { latencies, started_at: startedAtMs, tries = [] } = log;
    const headersAtMs = startedAtMs + latencies.kong + latencies.proxy;
    const computed = computeLatencies({
      startedAtMs,
      accessEndedAtMs: startedAtMs,
      // Recorded by Lua as floating-point numbers, true to a quarter of a microsecond.
      tries: tries.map(({ balancer_start_ns: startNs, balancer_latency_ns: latencyNs }) => ({
        balancerStartedAtMs: startNs / 1e6,
        balancerLatencyMs: latencyNs / 1e6,
      })),
      headersAtMs,
      bodyEndedAtMs: headersAtMs + latencies.receive,
      endedAtMs: startedAtMs + latencies.request,
    });
    expect(Math.abs(computed.kong - latencies.kong)).toBeLessThanOrEqual(1);
    expect(Math.abs(computed.proxy - latencies.proxy)).toBeLessThanOrEqual(1);
    expect(computed.receive).toBe(latencies.receive);
    expect(computed.request).toBe(latencies.request);
  });

  const answeredByKong = recordings.filter(([, { latencies }]) => latencies.proxy === -1);

  it.each(answeredByKong)('charges an answer of its own to itself alone: %s', (_file, log) => {
    const { latencies, started_at: startedAtMs } = log;
    expect(
      computeLatencies({
        startedAtMs,
        tries: [],
        headersAtMs: startedAtMs + latencies.kong,
        endedAtMs: startedAtMs + latencies.request,
      }),
    ).toEqual(latencies);
  });

  it('was compared with every recording that tells its times', () => {
    const others = recordings
      .map(([file]) => file)
      .filter((file) => ![...proxied, ...answeredByKong].some(([known]) => known === file));
    // Answered from a cache, and given up before the first try: neither has a try nor a proxy time of -1.
    expect(others).toEqual(['cache-hit.json', 'slow-upload-aborted.json']);
  });
});
