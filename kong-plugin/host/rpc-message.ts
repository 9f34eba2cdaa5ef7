// Kong's messages to a plugin server: [0, id, method, [argument]] is a request, [1, id, error, result] its answer.
import { Decoder, Encoder } from '@msgpack/msgpack';
import { readEvent } from './read-event';

export interface RpcRequest {
  readonly id: unknown;
  /** Without the `plugin.` before it. */
  readonly method: string;
  readonly argument: unknown;
}

const NAMESPACE = 'plugin.';

const decoder = new Decoder();
const encoder = new Encoder();

/**
 * A request; bytes in it are those of the frame.
 *
 * @throws Error where the frame is no request: there is no id to answer, and the connection is of no use
 */
export function readRequest(frame: Buffer): RpcRequest {
  return readEvent(frame) ?? decodeRequest(frame);
}

/** Any request. @throws as `readRequest` */
export function decodeRequest(frame: Buffer): RpcRequest {
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
  return answerOf(id, encodeValue(result));
}

/** A result that is given often is encoded once. */
export function encodeValue(value: unknown): Buffer {
  return Buffer.from(encoder.encode(value));
}

/** A list of four: 1, the id, no error, a result that is encoded already. */
export function answerOf(id: unknown, encodedResult: Buffer): Buffer {
  if (typeof id !== 'number' || !(id >= 0 && id <= 0xffff) || !Number.isInteger(id)) {
    return Buffer.concat([Buffer.of(0x94, 1), encodeValue(id), Buffer.of(0xc0), encodedResult]);
  }
  const bytes = Buffer.allocUnsafe(LONGEST_HEAD_BYTES + encodedResult.length);
  bytes[0] = 0x94;
  bytes[1] = 1;
  let at = 2;
  if (id >= 0x80) bytes[at++] = id > 0xff ? 0xcd : 0xcc;
  if (id > 0xff) bytes[at++] = id >> 8;
  bytes[at++] = id & 0xff;
  bytes[at++] = 0xc0;
  bytes.set(encodedResult, at);
  return bytes.subarray(0, at + encodedResult.length);
}

const LONGEST_HEAD_BYTES = 6;

export function encodeError(id: unknown, error: unknown): Buffer {
  const message = error instanceof Error ? error.message : String(error);
  return Buffer.from(encoder.encodeSharedRef([1, id, message, null]));
}
