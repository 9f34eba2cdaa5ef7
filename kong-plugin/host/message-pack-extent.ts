// Where a MessagePack value ends, without reading it. Format: https://github.com/msgpack/msgpack/blob/master/spec.md

/**
 * How far the value at the start of `bytes` reaches.
 *
 * @returns the length of the value where it is complete; otherwise minus the number of bytes that it has at least
 * @throws Error for 0xc1, the one byte that never begins a value
 */
export function messagePackExtent(bytes: Buffer): number {
  let at = 0;
  // Values that are still to come: a list or map adds its own. A count needs no stack, so nesting costs nothing.
  for (let expected = 1; expected > 0; expected--) {
    const head = bytes[at];
    if (head === undefined) return -(at + expected);
    const lengthBytes = lengthBytesAfter(head);
    if (at + 1 + lengthBytes > bytes.length) return -(at + expected + lengthBytes);
    const length = lengthBytes === 0 ? 0 : bytes.readUIntBE(at + 1, lengthBytes);
    at += 1 + lengthBytes;
    if (head < 0x80 || head >= 0xe0 || head === 0xc0 || head === 0xc2 || head === 0xc3) continue;
    if (head < 0x90) expected += 2 * (head & 0x0f);
    else if (head < 0xa0) expected += head & 0x0f;
    else if (head < 0xc0) at += head & 0x1f;
    else if (head === 0xc1) throw new Error('0xc1 begins no MessagePack value');
    else if (head <= 0xc6) at += length;
    // An extension has a byte for its type before its data.
    else if (head <= 0xc9) at += 1 + length;
    else if (head <= 0xd3) at += FIXED_LENGTHS[head - 0xca] ?? 0;
    else if (head <= 0xd8) at += 1 + 2 ** (head - 0xd4);
    else if (head <= 0xdb) at += length;
    else if (head <= 0xdd) expected += length;
    else expected += 2 * length;
  }
  return at <= bytes.length ? at : -at;
}

/** float 32, float 64, uint 8 to 64, int 8 to 64. */
const FIXED_LENGTHS = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8];

/** How many bytes after the head hold the length of what follows. */
function lengthBytesAfter(head: number): number {
  switch (head) {
    case 0xc4: // bin 8
    case 0xc7: // ext 8
    case 0xd9: // str 8
      return 1;
    case 0xc5:
    case 0xc8:
    case 0xda:
    case 0xdc: // array 16
    case 0xde: // map 16
      return 2;
    case 0xc6:
    case 0xc9:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 4;
    default:
      return 0;
  }
}
