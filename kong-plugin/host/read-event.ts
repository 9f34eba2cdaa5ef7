// The two requests of an event, HandleEvent and Step, read where they lie: nearly everything that comes is one of them, so no
// key is made into a text and no value but those that are used. What looks otherwise in any way is left to the decoder, which
// gives the same for these too, save that a log is bytes here.
import type { RpcRequest } from './rpc-message';

/** MessagePack of the texts, each with its head. */
const HANDLE_EVENT = packed('plugin.HandleEvent');
const STEP = packed('plugin.Step');
const EVENT_NAME = packed('EventName');
const INSTANCE_ID = packed('InstanceId');
const EVENT_ID = packed('EventId');
const DATA = packed('Data');
const LOG = packed('log');

/** A list of one that is a map of two. */
const ARGUMENTS = Buffer.of(0x91, 0x82);

/** Where the last value ended; one for all, since reading never waits. */
let at = 0;

/** `undefined` for every other request, and for these in another form. Bytes in it are those of the frame. */
export function readEvent(frame: Buffer): RpcRequest | undefined {
  // A list of four that begins with 0: a request.
  if (frame[0] !== 0x94 || frame[1] !== 0) return undefined;
  at = 2;
  const id = readWhole(frame);
  if (id === undefined) return undefined;
  if (passOver(frame, STEP)) return readStep(frame, id);
  if (passOver(frame, HANDLE_EVENT)) return readHandleEvent(frame, id);
  return undefined;
}

/** Lua gives the two keys in any order. */
function readHandleEvent(frame: Buffer, id: number): RpcRequest | undefined {
  if (!passOver(frame, ARGUMENTS)) return undefined;
  let hasName = false;
  let instanceId: number | undefined;
  for (let key = 0; key < 2; key++) {
    if (passOver(frame, EVENT_NAME)) hasName = passOver(frame, LOG);
    else if (passOver(frame, INSTANCE_ID)) instanceId = readWhole(frame);
  }
  if (!hasName || instanceId === undefined || at !== frame.length) return undefined;
  return { id, method: 'HandleEvent', argument: { EventName: 'log', InstanceId: instanceId } };
}

function readStep(frame: Buffer, id: number): RpcRequest | undefined {
  if (!passOver(frame, ARGUMENTS)) return undefined;
  let eventId: number | undefined;
  let data: Buffer | undefined;
  for (let key = 0; key < 2; key++) {
    if (passOver(frame, EVENT_ID)) eventId = readWhole(frame);
    else if (passOver(frame, DATA)) data = readTextBytes(frame);
  }
  if (eventId === undefined || data === undefined || at !== frame.length) return undefined;
  return { id, method: 'Step', argument: { EventId: eventId, Data: data } };
}

function passOver(frame: Buffer, expected: Buffer): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (frame[at + index] !== expected[index]) return false;
  }
  at += expected.length;
  return true;
}

/** A whole number from 0 that a double holds exactly. */
function readWhole(frame: Buffer): number | undefined {
  const head = frame[at] ?? 0xc1;
  at += 1;
  if (head < 0x80) return head;
  if (head < 0xcc || head > 0xcf) return undefined;
  const bytes = 1 << (head - 0xcc);
  let value = 0;
  for (const end = at + bytes; at < end; at++) value = value * 0x100 + (frame[at] ?? NaN);
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

function readTextBytes(frame: Buffer): Buffer | undefined {
  const head = frame[at] ?? 0xc1;
  at += 1;
  let length = head & 0x1f;
  if (head >= 0xd9 && head <= 0xdb) {
    length = 0;
    for (const end = at + (1 << (head - 0xd9)); at < end; at++) length = length * 0x100 + (frame[at] ?? NaN);
  } else if (head < 0xa0 || head > 0xbf) return undefined;
  const begin = at;
  at += length;
  return at <= frame.length ? frame.subarray(begin, at) : undefined;
}

function packed(text: string): Buffer {
  return Buffer.concat([Buffer.of(0xa0 + text.length), Buffer.from(text)]);
}
