// What one client may take of the sidecar, so that a slow, silent or greedy one does not hold up the others.
import { createServer, type RequestListener, type Server } from 'node:http';

export const SERVER_LIMITS = {
  /** A client that has not sent its headers by then is answered 408 and its connection closed. */
  headersTimeoutMs: 10_000,
  /** The same for the whole request: a batch of 4 MB needs no more than a slow line. */
  requestTimeoutMs: 30_000,
  /** Longer than any usual scrape interval, so that Prometheus keeps its connection. */
  keepAliveTimeoutMs: 75_000,
  /** How often the above are looked at. */
  checkIntervalMs: 2_000,
  /** Producers and scrapers need a handful. One more is closed at once, and does not touch the others. */
  maxConnections: 1_000,
} as const;

export function createLimitedServer(listener: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: SERVER_LIMITS.headersTimeoutMs,
      requestTimeout: SERVER_LIMITS.requestTimeoutMs,
      keepAliveTimeout: SERVER_LIMITS.keepAliveTimeoutMs,
      connectionsCheckingInterval: SERVER_LIMITS.checkIntervalMs,
    },
    listener,
  );
  server.maxConnections = SERVER_LIMITS.maxConnections;
  return server;
}
