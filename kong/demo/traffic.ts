// In: the address of the gateway's proxy and a rate. Out: a light, steady traffic over every demo route and one path that
// no route knows, with at most `maxInFlight` requests open; a turn that would exceed it is skipped and counted.
// Answers are read to their end and thrown away. A failed request is counted, never thrown.
import { Pool } from 'undici';

/** One request of the rota. */
export interface PlannedRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
}

/** What was sent so far; `answered + failed` is `sent` once the traffic has stopped. */
export interface TrafficCounts {
  sent: number;
  answered: number;
  failed: number;
  skipped: number;
}

/** A running traffic. */
export interface Traffic {
  readonly counts: Readonly<TrafficCounts>;
  /** Sends nothing more, waits until each open request has ended, closes its connections. */
  stop(): Promise<void>;
}

const get = (path: string): PlannedRequest => ({ method: 'GET', path });

/** The rota, repeated for ever: mostly fast, and each kind of trouble at least once in twenty requests. */
export const ROTA: readonly PlannedRequest[] = [
  get('/fast'),
  get('/slow'),
  get('/fast'),
  get('/flaky'),
  get('/pooled'),
  get('/fast'),
  get('/flaky'),
  { method: 'POST', path: '/fast' },
  get('/refusing'),
  get('/slow'),
  get('/fast'),
  get('/flaky'),
  get('/timing-out'),
  get('/pooled'),
  get('/fast'),
  get('/slow'),
  get('/teapot'),
  get('/flaky'),
  get('/fast'),
  get('/no-such-route'),
];

/**
 * Starts sending at once.
 *
 * @param origin such as `http://127.0.0.1:8000`
 * @param perSecond requests a second, above 0
 * @param maxInFlight requests open at a time, and connections, at least 1
 */
export function startTraffic(origin: string, perSecond = 10, maxInFlight = 12): Traffic {
  const pool = new Pool(origin, { connections: maxInFlight, pipelining: 1 });
  const counts: TrafficCounts = { sent: 0, answered: 0, failed: 0, skipped: 0 };
  const open = new Set<Promise<void>>();
  let turn = 0;

  const sendNext = (): void => {
    const planned = ROTA[turn++ % ROTA.length];
    if (planned === undefined) return;
    if (open.size >= maxInFlight) {
      counts.skipped += 1;
      return;
    }
    counts.sent += 1;
    const request = send(pool, planned).then(
      () => void (counts.answered += 1),
      () => void (counts.failed += 1),
    );
    open.add(request);
    void request.then(() => open.delete(request));
  };

  const timer = setInterval(sendNext, 1000 / perSecond);
  sendNext();
  return {
    counts,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      await pool.close();
    },
  };
}

async function send(pool: Pool, { method, path }: PlannedRequest): Promise<void> {
  const body = method === 'POST' ? '{"from":"the demo traffic"}\n' : null;
  const headers = {
    'user-agent': 'gatewatch-demo',
    ...(body === null ? {} : { 'content-type': 'application/json' }),
  };
  // A gateway that stops answering must not hold up the end of the demo: 5 s is five times the slowest demo route.
  const answer = await pool.request({ method, path, body, headers, headersTimeout: 5000, bodyTimeout: 5000 });
  await answer.body.dump();
}
