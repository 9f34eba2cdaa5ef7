// In: a request stream. Out: its whole body, when it ends within the limit; its beginning, when it is longer; or that
// the client went away while sending. nginx reads a body whole before the first try (and so does this, up to the
// limit of 1 MiB, beyond which nginx would use a file and this gateway streams instead). A paused stream is left paused.
import type { IncomingMessage } from 'node:http';

/** 1 MiB: above it a body is streamed and a try that has taken bytes of it is not repeated. */
export const BODY_BUFFER_LIMIT_BYTES = 1_048_576;

/** A request's body as it can be sent to an upstream. */
export type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'buffered'; readonly bytes: Buffer }
  | { readonly kind: 'streamed'; readonly head: Buffer; readonly rest: IncomingMessage }
  | { readonly kind: 'aborted' };

/**
 * Reads a body; never fails.
 *
 * @param limitBytes a body of so many bytes is still read whole; -1 streams from the first on, as a route without request
 * buffering asks
 * @param count told the size of every chunk that is read here
 */
export function readRequestBody(
  request: IncomingMessage,
  limitBytes: number,
  count: (bytes: number) => void,
): Promise<RequestBody> {
  const { headers } = request;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
    request.resume();
    return Promise.resolve({ kind: 'none' });
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (body: RequestBody): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      resolve(body);
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      size += chunk.length;
      count(chunk.length);
      if (size <= limitBytes) return;
      request.pause();
      settle({ kind: 'streamed', head: Buffer.concat(chunks), rest: request });
    };
    const onEnd = (): void => settle({ kind: 'buffered', bytes: Buffer.concat(chunks) });
    const onClose = (): void => settle({ kind: 'aborted' });
    // 'error' comes with 'close'; without a listener it would end the process.
    request.on('error', () => undefined);
    request.on('end', onEnd).on('close', onClose).on('data', onData);
  });
}
