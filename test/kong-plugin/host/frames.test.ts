import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { FrameSplitter, MAX_FRAME_BYTES } from '../../../kong-plugin/host/frame-splitter';
import { messagePackExtent } from '../../../kong-plugin/host/message-pack-extent';

const arbitraryValue = fc.oneof(
  fc.jsonValue(),
  fc.uint8Array({ maxLength: 300 }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.double(),
  fc.constantFrom(15, 16, 31, 32, 255, 256, 65_535, 65_536).map((length) => 'x'.repeat(length)),
  fc.constantFrom(15, 16, 65_535, 65_536).map((length) => new Array<null>(length).fill(null)),
);

function extension(length: number): Uint8Array {
  const head =
    { 1: [0xd4], 2: [0xd5], 4: [0xd6], 8: [0xd7], 16: [0xd8], 3: [0xc7, 3], 256: [0xc8, 1, 0] }[length] ??
    ([0xc9, 0, ...[length >> 16, (length >> 8) & 255, length & 255]] as number[]);
  return Uint8Array.from([...head, 7, ...new Array<number>(length).fill(1)]);
}

const arbitraryFrame = fc.oneof(
  arbitraryValue.map((value) => Buffer.from(encode(value, { useBigInt64: true }))),
  fc.constantFrom(1, 2, 4, 8, 16, 3, 256, 70_000).map((length) => Buffer.from(extension(length))),
);

describe('the extent of a MessagePack value', () => {
  it('is the length of what was encoded, whatever follows', () => {
    fc.assert(
      fc.property(arbitraryFrame, fc.uint8Array({ maxLength: 9 }), (frame, rest) => {
        expect(messagePackExtent(Buffer.concat([frame, rest]))).toBe(frame.length);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('of a part is less than nothing, and never asks for more than the whole', () => {
    fc.assert(
      fc.property(arbitraryFrame, fc.nat(), (frame, cut) => {
        const part = frame.subarray(0, cut % frame.length);
        const extent = messagePackExtent(part);
        expect(extent).toBeLessThanOrEqual(0);
        expect(-extent).toBeGreaterThan(part.length);
        expect(-extent).toBeLessThanOrEqual(frame.length);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it.each([1, 2, 3, 4, 8, 16, 256, 70_000])('counts an extension of %i bytes', (length) => {
    const frame = Buffer.from(extension(length));
    expect(messagePackExtent(frame)).toBe(frame.length);
    expect(messagePackExtent(frame.subarray(0, -1))).toBe(-frame.length);
  });

  it('does not exist for the byte that begins no value', () => {
    expect(() => messagePackExtent(Buffer.from([0xc1]))).toThrow('0xc1');
  });
});

describe('a frame splitter', () => {
  it('gives the same frames however they were cut and joined', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryFrame, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames);
          const splitter = new FrameSplitter();
          const places = [...new Set([0, ...cuts.map((cut) => cut % bytes.length), bytes.length])].sort(
            (a, b) => a - b,
          );
          const found = places
            .slice(1)
            .flatMap((end, index) => splitter.push(Buffer.from(bytes.subarray(places[index], end))));
          expect(found.map((frame) => frame.toString('hex'))).toEqual(
            frames.map((frame) => frame.toString('hex')),
          );
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it('puts a frame together that comes byte by byte', () => {
    const frame = Buffer.from(encode([0, 1, 'plugin.Step', [{ EventId: 7, Data: 'x'.repeat(400) }]]));
    const splitter = new FrameSplitter();
    const found = [...frame].flatMap((byte) => splitter.push(Buffer.from([byte])));
    expect(found).toEqual([frame]);
  });

  it('refuses a frame over its bound as soon as its length is known', () => {
    const head = Buffer.from([0xdb, 0, 0, 0, 0]);
    head.writeUInt32BE(MAX_FRAME_BYTES, 1);
    expect(() => new FrameSplitter().push(head)).toThrow(`over the bound of ${MAX_FRAME_BYTES}`);
  });
});

describe('a frame splitter that gets every chunk in the same place', () => {
  it('keeps what belongs to a later frame', () => {
    fc.assert(
      fc.property(fc.array(arbitraryFrame, { minLength: 1, maxLength: 5 }), fc.nat(), (frames, step) => {
        const bytes = Buffer.concat(frames);
        const place = Buffer.alloc(1 + (step % bytes.length));
        const splitter = new FrameSplitter();
        const found: string[] = [];
        for (let at = 0; at < bytes.length; at += place.length) {
          const length = bytes.copy(place, 0, at);
          for (const frame of splitter.push(place.subarray(0, length))) found.push(frame.toString('hex'));
          place.fill(0xc1);
        }
        expect(found).toEqual(frames.map((frame) => frame.toString('hex')));
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
