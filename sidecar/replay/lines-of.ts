// From the pieces of a file to its lines, without their line breaks. A line that is longer than `mostBytes` comes as `undefined`: it is
// passed over and never held.

const LINE_BREAK = 0x0a;

/** Those of each piece together, since to wait for every line would take longer than to read it. */
export async function* linesOf(
  pieces: AsyncIterable<Buffer>,
  mostBytes: number,
): AsyncGenerator<readonly (Buffer | undefined)[]> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  const take = (part: Buffer): void => {
    begunBytes += part.length;
    if (begunBytes > mostBytes) begun = [];
    else if (part.length > 0) begun.push(part);
  };
  const end = (): Buffer | undefined => {
    const line = begunBytes > mostBytes ? undefined : Buffer.concat(begun);
    begun = [];
    begunBytes = 0;
    return line;
  };
  for await (const piece of pieces) {
    const lines: (Buffer | undefined)[] = [];
    let start = 0;
    for (let at = piece.indexOf(LINE_BREAK); at >= 0; at = piece.indexOf(LINE_BREAK, start)) {
      take(piece.subarray(start, at));
      lines.push(end());
      start = at + 1;
    }
    take(piece.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (begunBytes > 0) yield [end()];
}
