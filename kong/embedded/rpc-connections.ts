// Kong's MessagePack RPC to a plugin server, over its unix socket. In: a method and its arguments. Out: the result.
// As in Kong's mp_rpc.lua: each call checks one connection out, sends [0, id, method, args], waits for
// [1, id, error, result], and puts the connection back; at most 30 idle ones are kept, for 60 s (the defaults of
// lua_socket_pool_size and lua_socket_keepalive_timeout). 60 s without an answer end a call. Frames may come in pieces.
import { decodeMultiStream, encode } from '@msgpack/msgpack';
import { createConnection, type Socket } from 'node:net';

const IDLE_CONNECTIONS = 30;
const TIMEOUT_MS = 60_000;

/** No connection could be made: nothing was sent. */
export class RpcConnectError extends Error {}

/** The request was sent, but no answer came. */
export class RpcBrokenError extends Error {}

/** The plugin server answered with an error. */
export class RpcRefusal extends Error {}

/** Decides where tests listen in; frames are whole messages. */
export type FrameWatcher = (direction: 'sent' | 'received', frame: unknown) => void;

/** A pool of connections to one socket path. */
export class RpcConnections {
  private readonly idle: RpcConnection[] = [];
  private readonly open = new Set<RpcConnection>();
  private lastId = 0;

  constructor(
    private readonly socketPath: string,
    private readonly watch?: FrameWatcher,
  ) {}

  /** @throws RpcConnectError, RpcBrokenError, RpcRefusal */
  async call(method: string, args: readonly unknown[]): Promise<unknown> {
    const connection = this.idle.pop() ?? (await this.connect());
    this.lastId += 1;
    const request = [0, this.lastId, method, args];
    this.watch?.('sent', request);
    const result = await connection.exchange(this.lastId, request);
    this.watch?.('received', result.frame);
    if (connection.usable && this.idle.length < IDLE_CONNECTIONS) this.idle.push(connection);
    else connection.close();
    if (result.error !== undefined && result.error !== null) throw new RpcRefusal(errorText(result.error));
    return result.value;
  }

  /** Closes every connection; calls under way end as broken. */
  close(): void {
    for (const connection of this.open) connection.close();
  }

  private async connect(): Promise<RpcConnection> {
    const socket = createConnection(this.socketPath);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error: NodeJS.ErrnoException) => {
        reject(new RpcConnectError(`${error.code ?? error.message} (unix:${this.socketPath})`));
      });
    });
    const connection = new RpcConnection(socket);
    this.open.add(connection);
    socket.once('close', () => {
      this.open.delete(connection);
      const index = this.idle.indexOf(connection);
      if (index >= 0) this.idle.splice(index, 1);
    });
    return connection;
  }
}

interface RpcAnswer {
  readonly frame: unknown;
  readonly error: unknown;
  readonly value: unknown;
}

class RpcConnection {
  private waiting:
    | { readonly id: number; resolve: (answer: RpcAnswer) => void; reject: (error: RpcBrokenError) => void }
    | undefined;

  constructor(private readonly socket: Socket) {
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on('error', () => undefined);
    void this.read();
  }

  get usable(): boolean {
    return !this.socket.destroyed && this.socket.writable && this.socket.readable;
  }

  exchange(id: number, request: unknown): Promise<RpcAnswer> {
    return new Promise((resolve, reject) => {
      this.waiting = { id, resolve, reject };
      if (this.usable) this.socket.write(encode(request));
      else this.fail('the connection is closed');
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private async read(): Promise<void> {
    let reason = 'no data';
    try {
      for await (const frame of decodeMultiStream(this.socket as AsyncIterable<Buffer>)) this.accept(frame);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    this.socket.destroy();
    this.fail(reason);
  }

  private accept(frame: unknown): void {
    // [2, label, args] is a notification; kong-pdk sends none, and Kong passes over labels that it does not know.
    if (Array.isArray(frame) && frame[0] === 2) return;
    const { waiting } = this;
    if (!Array.isArray(frame) || frame[0] !== 1 || waiting === undefined || frame[1] !== waiting.id) {
      throw new RpcBrokenError('expected the answer to the last request, found another frame');
    }
    this.waiting = undefined;
    waiting.resolve({ frame, error: frame[2], value: frame[3] });
  }

  private fail(reason: string): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reject(new RpcBrokenError(reason));
  }
}

function errorText(error: unknown): string {
  return typeof error === 'string' ? error : JSON.stringify(error);
}
