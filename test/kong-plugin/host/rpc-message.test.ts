// The short ways of the host's protocol, against the encoder and the decoder that know all of MessagePack.
import { isUtf8 } from 'node:buffer';
import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { readEvent } from '../../../kong-plugin/host/read-event';
import {
  answerOf,
  decodeRequest,
  encodeResult,
  encodeValue,
  readRequest,
  type RpcRequest,
} from '../../../kong-plugin/host/rpc-message';
import { spoilBytes } from '../../support/mutations';
import { seededRandom } from '../../support/seeded-random';

const arbitraryId = fc.oneof(
  fc.nat({ max: 300 }),
  fc.nat({ max: 70_000 }),
  fc.maxSafeNat(),
  fc.constantFrom(127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
);
const arbitraryLog = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.toWellFormed()),
  fc.constantFrom(0, 31, 32, 255, 256, 65_535, 65_536).map((length) => 'x'.repeat(length)),
);
/** Lua gives keys in any order. */
const arbitraryStep = fc
  .tuple(arbitraryId, arbitraryId, arbitraryLog, fc.boolean())
  .map(([id, eventId, log, isTurned]) =>
    requestOf(id, 'Step', isTurned ? { Data: log, EventId: eventId } : { EventId: eventId, Data: log }),
  );
const arbitraryHandleEvent = fc
  .tuple(arbitraryId, arbitraryId, fc.boolean())
  .map(([id, instanceId, isTurned]) =>
    requestOf(
      id,
      'HandleEvent',
      isTurned ? { InstanceId: instanceId, EventName: 'log' } : { EventName: 'log', InstanceId: instanceId },
    ),
  );

function requestOf(id: unknown, method: string, argument: unknown): Buffer {
  return Buffer.from(encode([0, id, `plugin.${method}`, [argument]]));
}

/** With a log as text, as the decoder gives it. */
function withText(request: RpcRequest | undefined): unknown {
  const { Data: data, ...rest } = (request?.argument ?? {}) as { Data?: unknown };
  if (!Buffer.isBuffer(data)) return request;
  return {
    ...request,
    argument: { ...rest, Data: new TextDecoder('utf-8', { ignoreBOM: true }).decode(data) },
  };
}

describe('a request of an event', () => {
  it.each([
    ['Step', arbitraryStep],
    ['HandleEvent', arbitraryHandleEvent],
  ])('%s is read in place, and as the decoder reads it', (_method, arbitraryRequest) => {
    fc.assert(
      fc.property(arbitraryRequest, (frame) => {
        const read = readEvent(frame);
        expect(read).toBeDefined();
        expect(withText(read)).toEqual(decodeRequest(frame));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it.each([
    requestOf('an id', 'Step', { EventId: 1, Data: 'x' }),
    requestOf(-1, 'Step', { EventId: 1, Data: 'x' }),
    requestOf(1, 'Step', { EventId: 'one', Data: 'x' }),
    requestOf(1, 'Step', { EventId: 1.5, Data: 'x' }),
    requestOf(1, 'Step', { EventId: 1, Data: 7 }),
    requestOf(1, 'Step', { EventId: 1, Data: null }),
    requestOf(1, 'Step', { EventId: 1 }),
    requestOf(1, 'Step', { EventId: 1, Data: 'x', More: true }),
    requestOf(1, 'StepError', { EventId: 1, Data: 'x' }),
    requestOf(1, 'HandleEvent', { InstanceId: 1, EventName: 'access' }),
    requestOf(1, 'HandleEvent', { InstanceId: null, EventName: 'log' }),
    requestOf(1, 'StartInstance', { Name: 'gatewatch', Config: '{}' }),
    Buffer.from(encode([0, 1, 'plugin.Step', []])),
    Buffer.from(encode([0, 1, 'plugin.Step', [{ EventId: 1, Data: 'x' }, 2]])),
    Buffer.from(encode([0, 1, 'Step', [{ EventId: 1, Data: 'x' }]])),
  ])('in another form is left to the decoder: %#', (frame) => {
    expect(readEvent(frame)).toBeUndefined();
    expect(readRequest(frame)).toEqual(decodeRequest(frame));
  });

  it('that was damaged is read as the decoder reads it, or not at all (seed 1)', () => {
    const random = seededRandom(1);
    const frame = requestOf(300, 'Step', { EventId: 2 ** 40, Data: 'a log' });
    let read = 0;
    for (let round = 0; round < 20_000; round++) {
      const damaged = spoilBytes(frame, random);
      const event = readEvent(damaged);
      // Where a text is no UTF-8, the decoder gives another text for a short one than for a long one.
      if (!event || !isUtf8((event.argument as { Data: Buffer }).Data)) continue;
      read += 1;
      expect(withText(event)).toEqual(decodeRequest(damaged));
    }
    expect(read).toBeGreaterThan(100);
  });
});

describe('an answer', () => {
  it('has the bytes that the encoder gives it, whatever the id', () => {
    fc.assert(
      fc.property(
        fc.oneof(arbitraryId, fc.string(), fc.double(), fc.constant(-1)),
        fc.jsonValue(),
        (id, result) => {
          const expected = Buffer.from(encode([1, id, null, result]));
          expect(answerOf(id, encodeValue(result))).toEqual(expected);
          expect(encodeResult(id, result)).toEqual(expected);
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });
});
