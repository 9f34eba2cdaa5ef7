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

  // Of a recording only the start, the tries, the whole and the body's time are taken: what `kong` and `proxy` were is not.
  it.each(proxied)('splits the time before the body as a real Kong did, within 1 ms: %s', (_file, log) => {
    const { latencies, started_at: startedAtMs, tries = [] } = log;
    const endedAtMs = startedAtMs + latencies.request;
    const computed = computeLatencies({
      startedAtMs,
      accessEndedAtMs: startedAtMs,
      // Recorded by Lua as floating-point numbers, true to a quarter of a microsecond.
      tries: tries.map(({ balancer_start_ns: startNs, balancer_latency_ns: latencyNs }) => ({
        balancerStartedAtMs: startNs / 1e6,
        balancerLatencyMs: latencyNs / 1e6,
      })),
      headersAtMs: endedAtMs - latencies.receive,
      bodyEndedAtMs: endedAtMs,
      endedAtMs,
    });
    expect(Math.abs(computed.kong - latencies.kong)).toBeLessThanOrEqual(1);
    expect(Math.abs(computed.proxy - latencies.proxy)).toBeLessThanOrEqual(1);
  });

  const answeredByKong = recordings.filter(([, { latencies }]) => latencies.proxy === -1);

  it.each(answeredByKong)('has no proxy time and no body time for an answer of its own: %s', (_file, log) => {
    const { latencies, started_at: startedAtMs } = log;
    const endedAtMs = startedAtMs + latencies.request;
    const { proxy, receive } = computeLatencies({
      startedAtMs,
      tries: [],
      headersAtMs: startedAtMs,
      bodyEndedAtMs: endedAtMs,
      endedAtMs,
    });
    expect([proxy, receive]).toEqual([latencies.proxy, latencies.receive]);
  });

  const started = {
    startedAtMs: 1_000.9,
    accessEndedAtMs: 1_001.2,
    tries: [
      { balancerStartedAtMs: 1_001.3, balancerLatencyMs: 0.1 },
      { balancerStartedAtMs: 1_301.9, balancerLatencyMs: 0.2 },
    ],
    endedAtMs: 1_305,
  };

  it('cuts every time to whole ms before it subtracts, as nginx reads its clock', () => {
    expect(computeLatencies({ ...started, headersAtMs: 1_303.05, bodyEndedAtMs: 1_304.99 })).toEqual({
      request: 305,
      kong: 302,
      proxy: 1,
      receive: 1,
    });
  });

  it('takes the end for the headers of a client that left before them, and no body time for a body that broke off', () => {
    expect(computeLatencies(started)).toEqual({ request: 305, kong: 302, proxy: 3, receive: 0 });
    expect(computeLatencies({ ...started, tries: [] })).toEqual({
      request: 305,
      kong: 1,
      proxy: 304,
      receive: 0,
    });
  });

  it('was compared with every recording that tells its times', () => {
    const others = recordings
      .map(([file]) => file)
      .filter((file) => ![...proxied, ...answeredByKong].some(([known]) => known === file));
    // Answered from a cache, and given up before the first try: neither has a try nor a proxy time of -1.
    expect(others).toEqual(['cache-hit.json', 'slow-upload-aborted.json']);
  });
});
