// Lets a listening server give its connections unread, so that all of them read into one buffer. Node's own way makes a new
// 64 KiB buffer for each read, which costs more than the read: `onread` of a socket spares that, but a server cannot be told
// to set it. So the one internal thing of Node that is used is what a server's handle calls with a new connection's handle.
import { Socket, type Server } from 'node:net';

/** Gives the connection. @param take gets what comes; the bytes are there during the call only */
export type OpenConnection = (take: (bytes: Buffer) => void) => Socket;

/** As much as Node reads at once. */
const BUFFER_BYTES = 64 * 1024;

interface ServerHandle {
  onconnection: (this: ServerHandle, status: number, connection: object | undefined) => void;
}

/** @param server must be listening; it emits no connection any more */
export function acceptInPlace(server: Server, accept: (open: OpenConnection) => void): void {
  const { _handle: listening } = server as unknown as { readonly _handle: ServerHandle };
  const { onconnection: tellFault } = listening;
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  listening.onconnection = function (status, connection) {
    if (status !== 0 || !connection) tellFault.call(this, status, connection);
    else accept((take) => openOn(connection, buffer, take));
  };
}

function openOn(handle: object, buffer: Buffer, take: (bytes: Buffer) => void): Socket {
  const callback = (length: number): boolean => {
    take(buffer.subarray(0, length));
    return true;
  };
  // Beside a handle a socket reads at once.
  return new Socket({ handle, onread: { buffer, callback } } as object);
}
