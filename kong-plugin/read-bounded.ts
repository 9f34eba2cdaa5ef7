// Of an answer's body the first part: what a server has to say is short.

/**
 * @param mostBytes behind which the answer, and its connection, is broken off
 * @throws Error where it breaks off by itself
 */
export async function readBounded(body: AsyncIterable<Uint8Array>, mostBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > mostBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
