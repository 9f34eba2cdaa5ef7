// From the bytes of a connection, however they are cut, to whole MessagePack frames. A frame that came in one piece, the
// common case, is not copied; of a part there is a copy, since the next bytes may come in the same place.
import { messagePackExtent } from './message-pack-extent';

/** Over what nginx can hold of one log; a longer frame is not Kong's. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export class FrameSplitter {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** With fewer bytes than this there is no use in looking again. */
  #neededBytes = 1;

  /**
   * The frames that end in this chunk. They last as long as the chunk does.
   *
   * @throws Error where the bytes are no MessagePack, or a frame is over the bound; the connection is of no use then
   */
  push(chunk: Buffer): Buffer[] {
    if (this.#bytes === 0 && messagePackExtent(chunk) === chunk.length) return [chunk];
    this.#pieces.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    if (this.#bytes < this.#neededBytes) return [];
    let rest = Buffer.concat(this.#pieces, this.#bytes);
    const frames: Buffer[] = [];
    let neededBytes = 1;
    while (rest.length > 0) {
      const extent = messagePackExtent(rest);
      if (extent <= 0) {
        neededBytes = -extent;
        break;
      }
      frames.push(rest.subarray(0, extent));
      rest = rest.subarray(extent);
    }
    if (neededBytes > MAX_FRAME_BYTES) {
      throw new Error(`a frame of at least ${neededBytes} bytes is over the bound of ${MAX_FRAME_BYTES}`);
    }
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#bytes = rest.length;
    this.#neededBytes = neededBytes;
    return frames;
  }
}
