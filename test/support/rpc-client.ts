// Speaks the protocol of Kong's plugin server over its unix socket: MessagePack requests [0, id, method, args], one at a time,
// each in one write, since the stock server cannot put a frame together that comes in pieces.
import { connect, type Socket } from 'node:net';
import { decodeMultiStream, encode } from '@msgpack/msgpack';

type Answer = readonly [type: 1, id: number, error: unknown, result: unknown];

export class RpcClient {
  readonly #socket: Socket;
  readonly #answers: AsyncGenerator;
  #id = 0;

  static async connect(path: string): Promise<RpcClient> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    return new RpcClient(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#answers = decodeMultiStream(socket);
  }

  /**
   * @param spoil changes bytes of the frame, to others of the same number
   * @throws Error with the server's message
   */
  async call(method: string, argument: unknown, spoil?: (frame: Buffer) => void): Promise<unknown> {
    const frame = Buffer.from(encode([0, ++this.#id, `plugin.${method}`, [argument]]));
    spoil?.(frame);
    this.#socket.write(frame);
    const { value } = (await this.#answers.next()) as { value: Answer };
    const [, , error, result] = value;
    if (error !== null && error !== undefined)
      throw new Error(typeof error === 'string' ? error : JSON.stringify(error));
    return result;
  }

  close(): void {
    this.#socket.destroy();
  }
}
