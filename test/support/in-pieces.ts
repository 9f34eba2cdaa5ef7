// A text in a few pieces, so far apart that its reader gets each by itself.
import { setTimeout as delay } from 'node:timers/promises';

const PIECES = 4;
const APART_MS = 5;

export async function inPieces(text: string, write: (piece: string) => void): Promise<void> {
  const length = Math.ceil(text.length / PIECES);
  for (let at = 0; at < text.length; at += length) {
    write(text.slice(at, at + length));
    await delay(APART_MS);
  }
}
