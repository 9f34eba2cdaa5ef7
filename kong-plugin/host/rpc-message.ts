// Kong's messages to a plugin server: [0, id, method, [argument]] is a request, [1, id, error, result] its answer.
import { Decoder, Encoder } from '@msgpack/msgpack';

export interface RpcRequest {
  readonly id: unknown;
  /** Without the `plugin.` before it. */
  readonly method: string;
  readonly argument: unknown;
}

const NAMESPACE = 'plugin.';

const decoder = new Decoder();
const encoder = new Encoder();

/** @throws Error where the frame is no request: there is no id to answer, and the connection is of no use */
export function readRequest(frame: Buffer): RpcRequest {
  const message = decoder.decode(frame);
  if (!Array.isArray(message) || message[0] !== 0 || typeof message[2] !== 'string') {
    throw new Error('expected a request [0, id, method, arguments]');
  }
  const [, id, method, given] = message as [number, unknown, string, unknown];
  return {
    id,
    method: method.startsWith(NAMESPACE) ? method.slice(NAMESPACE.length) : method,
    argument: Array.isArray(given) ? (given[0] as unknown) : undefined,
  };
}

export function encodeResult(id: unknown, result: unknown): Buffer {
  return Buffer.from(encoder.encodeSharedRef([1, id, null, result]));
}

export function encodeError(id: unknown, error: unknown): Buffer {
  const message = error instanceof Error ? error.message : String(error);
  return Buffer.from(encoder.encodeSharedRef([1, id, message, null]));
}
