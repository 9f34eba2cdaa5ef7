// One connection of Kong's to the host: requests in, answers out. Whatever comes, or breaks off, ends at most this connection.
import type { Socket } from 'node:net';
import type { PluginLog } from '../plugin-log';
import type { OpenConnection } from './accept-in-place';
import { FrameSplitter } from './frame-splitter';
import type { PluginHostServer } from './plugin-host-server';
import { answerOf, encodeError, encodeResult, readRequest, type RpcRequest } from './rpc-message';

export function serveConnection(open: OpenConnection, server: PluginHostServer, log: PluginLog): Socket {
  const splitter = new FrameSplitter();
  const socket = open((bytes) => {
    try {
      for (const frame of splitter.push(bytes)) answer(socket, server, readRequest(frame));
    } catch (error) {
      log('error', 'a connection did not speak the plugin protocol and was closed', {
        reason: error instanceof Error ? error.message : String(error),
      });
      socket.destroy();
    }
  });
  // Kong's workers break connections off as they end; `close` follows, and there is nothing else to do.
  socket.on('error', () => undefined);
  return socket;
}

function answer(socket: Socket, server: PluginHostServer, request: RpcRequest): void {
  let result: Buffer | Promise<unknown>;
  try {
    result = server.answer(request);
  } catch (error) {
    socket.write(encodeError(request.id, error));
    return;
  }
  if (!(result instanceof Promise)) {
    socket.write(answerOf(request.id, result));
    return;
  }
  result.then(
    (value) => socket.write(encodeResult(request.id, value)),
    (error: unknown) => socket.write(encodeError(request.id, error)),
  );
}
