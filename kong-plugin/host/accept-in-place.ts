// Lets a listening server give its connections unread, so that all of them read into one buffer. Node's own way makes a new
// 64 KiB buffer for each read, which costs more than the read: `onread` of a socket spares that, but a server cannot be told
// to set it. So the internal thing of Node that is used is a server's handle: what it calls with a new connection's handle, and
// its reading, which is its accepting and can be stopped for a while, so that what connects waits in the kernel's queue.
import { Socket, type Server } from 'node:net';

/** Gives the connection. @param take gets what comes; the bytes are there during the call only */
export type OpenConnection = (take: (bytes: Buffer) => void) => Socket;

/** As much as Node reads at once. */
const BUFFER_BYTES = 64 * 1024;

interface ServerHandle {
  onconnection: (this: ServerHandle, status: number, connection: object | undefined) => void;
  readStart(): number;
  readStop(): number;
}

export interface Accepting {
  /** From the next connection on; libuv accepts one at a time. */
  pause(): void;
  resume(): void;
}

/** @param server must be listening on an fd that it was given; it emits no connection any more */
export function acceptInPlace(server: Server, accept: (open: OpenConnection) => void): Accepting {
  const { _handle: listening } = server as unknown as { readonly _handle: ServerHandle };
  const { onconnection: tellFault } = listening;
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  listening.onconnection = function (status, connection) {
    if (status !== 0 || !connection) tellFault.call(this, status, connection);
    else accept((take) => openOn(connection, buffer, take));
  };
  // Only what was started can be stopped.
  listening.readStart();
  return { pause: () => listening.readStop(), resume: () => listening.readStart() };
}

function openOn(handle: object, buffer: Buffer, take: (bytes: Buffer) => void): Socket {
  const callback = (length: number): boolean => {
    take(buffer.subarray(0, length));
    return true;
  };
  // Beside a handle a socket reads at once.
  return new Socket({ handle, onread: { buffer, callback } } as object);
}
