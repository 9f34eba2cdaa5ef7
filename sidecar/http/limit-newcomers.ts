// A connection keeps its place only once something came in on it that a door let pass and that was answered well; until then
// it has a short time, whatever it sends. So clients without a token or a password, and those who ask for what does not exist,
// cannot hold all places for long. In: the server and the clock, and each request that passed a door. Out: ended connections.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler, Response } from 'express';
import type { Clock } from '../clock';

/** Longer than headers may take (`headersTimeoutMs`) and the next look at them, so that who is late there gets its answer. */
export const NEWCOMER_MS = 15_000;

class Newcomer {
  readonly #answers = new Set<Response>();
  #cancel: () => void = () => undefined;

  constructor(
    private readonly socket: Socket,
    private readonly clock: Clock,
  ) {
    this.wait();
    socket.once('close', () => this.admit());
  }

  wait(): void {
    this.#cancel();
    this.#cancel = this.clock.after(NEWCOMER_MS, () => {
      // One that is being sent, however slowly, is as good as one that was.
      if ([...this.#answers].some((answer) => answer.socket === this.socket && isWell(answer))) this.admit();
      else this.socket.destroy();
    });
  }

  admit(): void {
    this.#cancel();
    newcomers.delete(this.socket);
  }

  pause(): void {
    this.#cancel();
  }

  expect(answer: Response): void {
    this.#answers.add(answer);
    answer.once('finish', () => {
      this.#answers.delete(answer);
      if (isWell(answer)) this.admit();
    });
  }
}

/** By the socket that a request shows: with TLS, the encrypted one. */
const newcomers = new WeakMap<Socket, Newcomer>();

export function limitNewcomers(server: Server, clock: Clock): void {
  // A TLS server tells of both; the handshake before it has a time of its own.
  const event = 'setSecureContext' in server ? 'secureConnection' : 'connection';
  server.on(event, (socket: Socket) => void newcomers.set(socket, new Newcomer(socket, clock)));
}

/** Stands behind a door. A body has its own time (`requestTimeoutMs`) before the connection's goes on. */
export const admitNewcomer: RequestHandler = (request, response, next) => {
  const newcomer = newcomers.get(request.socket);
  newcomer?.expect(response);
  if (newcomer && request.method === 'POST') {
    newcomer.pause();
    request.once('end', () => {
      if (newcomers.has(request.socket)) newcomer.wait();
    });
  }
  next();
};

function isWell({ headersSent, statusCode }: Response): boolean {
  return headersSent && statusCode < 400;
}
