// Sends a long text in parts, as fast as the client takes them and no faster: the whole of it is never in memory, and between
// two parts others have their turn.
import type { ServerResponse } from 'node:http';

/** Settles when everything was handed to the connection, or the client has left. */
export async function sendChunks(response: ServerResponse, chunks: Iterable<string>): Promise<void> {
  for (const chunk of chunks) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await roomIn(response);
    await new Promise((resolve) => setImmediate(resolve));
  }
  response.end();
}

function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}
