// What Node's parser gives up on never becomes a request of the application. It is answered here as Node answers it where
// nobody listens (status line, `Connection: close`, no body), and counted; so are the connections that are not taken at all.
import { STATUS_CODES, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import type { Refusal } from '../exposition/refusal';

export interface BrokenRequestParts {
  readonly onRefused: (refusal: Refusal) => void;
  /** Told of every connection over the server's `maxConnections`. */
  readonly onDroppedConnection: () => void;
}

interface RefusedBy {
  readonly refusal: Refusal;
  readonly status: number;
}

/** By the code of the error; every other one of the parser (HPE_) is for a request that is no HTTP. */
const REFUSED_BY: Readonly<Record<string, RefusedBy>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { refusal: 'timeout', status: 408 },
  HPE_HEADER_OVERFLOW: { refusal: 'headers_too_large', status: 431 },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { refusal: 'malformed', status: 413 },
  HPE_INVALID_EOF_STATE: { refusal: 'aborted', status: 400 },
};

export function answerBrokenRequests(
  server: Server,
  { onRefused, onDroppedConnection }: BrokenRequestParts,
): void {
  server.on('drop', onDroppedConnection);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const refused = refusedBy(error);
    if (refused) onRefused(refused.refusal);
    // Behind the headers of an answer it would be taken for a part of that answer.
    if (socket.writable && !hasBegunAnswer(socket)) {
      const status = refused?.status ?? 400;
      socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n\r\n`);
    }
    socket.destroy(error);
  });
}

/** Whether `answerBrokenRequests` has counted what ended this connection. */
export function wasCounted({ errored }: Socket): boolean {
  return errored !== null && refusedBy(errored) !== undefined;
}

/** What Node refuses where it is not told to leave that to the application: HTTP/1.1 without a Host. */
export function requireHost(onRefused: BrokenRequestParts['onRefused']): RequestHandler {
  return ({ headers, httpVersion }, response, next) => {
    if (headers.host !== undefined || httpVersion !== '1.1') {
      next();
      return;
    }
    onRefused('malformed');
    response.status(400).set('Connection', 'close').end();
  };
}

/** `undefined` for an error of the connection itself: its request, if there is one, is counted where its body is read. */
function refusedBy({ code = '' }: NodeJS.ErrnoException): RefusedBy | undefined {
  return REFUSED_BY[code] ?? (code.startsWith('HPE_') ? { refusal: 'malformed', status: 400 } : undefined);
}

/** The answer in work hangs on the socket as Node's own `_httpMessage`. */
function hasBegunAnswer(socket: Socket): boolean {
  return (socket as { _httpMessage?: { headersSent?: boolean } | null })._httpMessage?.headersSent === true;
}
