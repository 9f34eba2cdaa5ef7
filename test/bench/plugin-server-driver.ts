// Kong's part in the benches of the plugin server, as a process of its own so that its CPU is not counted, and cheap so that it
// does not hold the server up. Started with a socket's path, a plugin's name, its configuration and the names of recorded logs
// (all of them where there is none); told over the channel to its parent how many events to drive, and how many a second
// (without that, each connection as fast as it is answered), it says in ms how long they took. Each connection does what a
// request of Kong's does, one event after the other: HandleEvent, the answer with the PDK call, Step with a recorded log, the
// answer that ends the event. The recorded logs come in turn.
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { decode, encode } from '@msgpack/msgpack';

/** lua_socket_pool_size: as many idle connections as a worker of Kong keeps. */
const CONNECTIONS = 30;

/** Due events are started this often. */
const PACE_STEP_MS = 1;

export interface DriveOrder {
  readonly events: number;
  readonly eventsPerSecond?: number | undefined;
}

export interface DriveReport {
  readonly elapsedMs: number;
}

type Answer = readonly [type: 1, id: number, error: unknown, result: unknown];

const LOGS = join('test', 'fixtures', 'kong', 'logs');

/** Each as the MessagePack text that ends a Step. */
const encodedLogs = (process.argv.length > 5 ? process.argv.slice(5) : readdirSync(LOGS)).map((name) =>
  Buffer.from(encode(readFileSync(join(LOGS, name), 'utf8'))),
);

/** Of a request, in the order in which Kong writes it: a list of 0, an id of two bytes, the method, a list of one map. */
function requestHead(method: string, argument: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.of(0x94, 0, 0xcd, 0, 0),
    encode(`plugin.${method}`),
    Buffer.of(0x91),
    argument,
  ]);
}
const ID_OFFSET = 3;
const stepHead = requestHead('Step', Buffer.concat([Buffer.of(0x82), encode('EventId')]));
const dataKey = Buffer.from(encode('Data'));

let eventsToStart = 0;
let eventsToEnd = 0;
let nextLog = 0;
let isPaced = false;
let atEnd: () => void = () => undefined;

class Connection {
  readonly #socket: Socket;
  readonly #request = Buffer.alloc(64 * 1024);
  #take: (answer: Buffer) => void = () => undefined;
  #id = 0;
  isBusy = false;

  static async open(path: string): Promise<Connection> {
    const connection = new Connection(path);
    await new Promise<void>((resolve, reject) => {
      connection.#socket.once('connect', resolve).once('error', reject);
    });
    return connection;
  }

  private constructor(path: string) {
    // An answer is a few dozen bytes in one write, and comes in one piece.
    const callback = (length: number, buffer: Uint8Array): boolean => {
      this.#take(Buffer.from(buffer.buffer, buffer.byteOffset, length));
      return true;
    };
    this.#socket = connect({ path, onread: { buffer: Buffer.alloc(4096), callback } });
    this.#socket.on('close', () => fail(new Error('the plugin server closed a connection')));
  }

  startInstance(name: string, config: string): Promise<unknown> {
    return new Promise((resolve) => {
      this.#call(requestHead('StartInstance', encode({ Name: name, Config: config })), [], (answer) => {
        resolve((resultOf(answer) as { Id: unknown }).Id);
      });
    });
  }

  /** Drives an event, and where there is no pace the next one after it until none is left to start. */
  drive(handleEvent: Buffer): void {
    if (eventsToStart === 0) return;
    eventsToStart -= 1;
    this.isBusy = true;
    this.#call(handleEvent, [], (asked) => {
      const at = asked.lastIndexOf('EventId');
      if (!asked.includes('kong.log.serialize') || at < 0) fail(new Error('expected the PDK call'));
      nextLog = (nextLog + 1) % encodedLogs.length;
      const eventId = asked.subarray(at + 'EventId'.length);
      this.#call(stepHead, [eventId, dataKey, encodedLogs[nextLog] ?? dataKey], (ended) => {
        if (!ended.includes('ret')) fail(new Error('expected the end of the event'));
        this.isBusy = false;
        eventsToEnd -= 1;
        if (eventsToEnd === 0) atEnd();
        if (!isPaced) this.drive(handleEvent);
      });
    });
  }

  #call(head: Buffer, rest: readonly Uint8Array[], take: (answer: Buffer) => void): void {
    this.#take = take;
    this.#id = (this.#id + 1) % 0x10000;
    // One write: the stock server cannot put a frame together that comes in pieces. The last request was answered, so it
    // has left this buffer.
    let length = head.copy(this.#request);
    this.#request.writeUInt16BE(this.#id, ID_OFFSET);
    for (const part of rest) {
      this.#request.set(part, length);
      length += part.length;
    }
    this.#socket.write(this.#request.subarray(0, length));
  }
}

/** The answer is decoded here only; in an event its few bytes are looked at. */
function resultOf(answer: Buffer): unknown {
  const [, , error, result] = decode(answer) as Answer;
  if (error !== null && error !== undefined) fail(new Error(JSON.stringify(error)));
  return result;
}

/** Starts events evenly, each on a connection that is free. Where none is, the event is late, as it would be in Kong. */
function pace(connections: readonly Connection[], handleEvent: Buffer, eventsPerSecond: number): void {
  const startMs = performance.now();
  const all = eventsToStart;
  const timer = setInterval(() => {
    const due = Math.min(all, ((performance.now() - startMs) * eventsPerSecond) / 1_000);
    for (const connection of connections) {
      if (all - eventsToStart >= due) break;
      if (!connection.isBusy) connection.drive(handleEvent);
    }
    if (eventsToStart === 0) clearInterval(timer);
  }, PACE_STEP_MS);
}

function fail(error: Error): never {
  console.error(error);
  process.exit(1);
}

async function main(): Promise<void> {
  const [path = '', name = '', config = ''] = process.argv.slice(2);
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(path)));
  const instanceId = await connections[0]?.startInstance(name, config);
  const handleEvent = requestHead('HandleEvent', encode({ EventName: 'log', InstanceId: instanceId }));
  process.on('message', ({ events, eventsPerSecond }: DriveOrder) => {
    const startMs = performance.now();
    [eventsToStart, eventsToEnd] = [events, events];
    atEnd = () => process.send?.({ elapsedMs: performance.now() - startMs } satisfies DriveReport);
    isPaced = eventsPerSecond !== undefined;
    if (eventsPerSecond !== undefined) pace(connections, handleEvent, eventsPerSecond);
    else for (const connection of connections) connection.drive(handleEvent);
  });
  process.send?.({ elapsedMs: 0 } satisfies DriveReport);
}

main().catch(fail);
