// What one client may take of the sidecar, so that a slow, silent or greedy one does not hold up the others.
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { TlsSettings } from '../config/web-config';
import { tlsOptionsOf } from './tls-options';

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

/** @param tls without it, plain HTTP */
export function createLimitedServer(listener: RequestListener, tls?: TlsSettings): Server | TlsServer {
  const options = {
    headersTimeout: SERVER_LIMITS.headersTimeoutMs,
    requestTimeout: SERVER_LIMITS.requestTimeoutMs,
    keepAliveTimeout: SERVER_LIMITS.keepAliveTimeoutMs,
    connectionsCheckingInterval: SERVER_LIMITS.checkIntervalMs,
    // The application asks for it itself, and counts who has none.
    requireHostHeader: false,
  };
  const server =
    tls === undefined ? createServer(options, listener) : createSecureServer(options, tls, listener);
  server.maxConnections = SERVER_LIMITS.maxConnections;
  return server;
}

/**
 * A client certificate is asked for where the settings want one. One that is shown must be good, or the connection ends; who
 * shows none is let in here and met by the guard of the pages, since the plugin has a token and no certificate.
 */
function createSecureServer(options: object, tls: TlsSettings, listener: RequestListener): TlsServer {
  const server = createTlsServer(
    {
      ...options,
      ...tlsOptionsOf(tls),
      handshakeTimeout: SERVER_LIMITS.headersTimeoutMs,
      requestCert: tls.clientCertificate !== 'none',
      rejectUnauthorized: false,
    },
    listener,
  );
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (socket.authorized || Object.keys(socket.getPeerCertificate()).length === 0) return;
    socket.destroy();
    server.emit('tlsClientError', socket.authorizationError, socket);
  });
  return server;
}
