// Kong's part in the plugin server bench, as a process of its own so that its CPU is not counted. Started with a socket's path,
// a plugin's name and its configuration; told over the channel to its parent how many events to drive, it says in ms how long
// they took. Each connection does what a request of Kong's does, one event after the other: HandleEvent, the answer with the
// PDK call, Step with a recorded log, the answer that ends the event. The recorded logs come in turn.
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { decode, encode } from '@msgpack/msgpack';
import { FrameSplitter } from '../../kong-plugin/host/frame-splitter';

/** lua_socket_pool_size: as many idle connections as a worker of Kong keeps. */
const CONNECTIONS = 30;

export interface DriveOrder {
  readonly events: number;
}

export interface DriveReport {
  readonly elapsedMs: number;
}

type Answer = readonly [type: 1, id: number, error: unknown, result: unknown];

const LOGS = join('test', 'fixtures', 'kong', 'logs');

/** Each as the MessagePack text that ends a Step. */
const encodedLogs = readdirSync(LOGS).map((name) =>
  Buffer.from(encode(readFileSync(join(LOGS, name), 'utf8'))),
);

let eventsToStart = 0;
let eventsToEnd = 0;
let nextLog = 0;
let atEnd: () => void = () => undefined;

class Connection {
  readonly #socket: Socket;
  readonly #splitter = new FrameSplitter();
  #take: (result: unknown) => void = () => undefined;
  #id = 0;

  static async open(path: string): Promise<Connection> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    return new Connection(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('close', () => fail(new Error('the plugin server closed a connection')));
    socket.on('data', (chunk) => {
      for (const frame of this.#splitter.push(chunk)) {
        const [, , error, result] = decode(frame) as Answer;
        if (error !== null && error !== undefined) fail(new Error(JSON.stringify(error)));
        this.#take(result);
      }
    });
  }

  startInstance(name: string, config: string): Promise<unknown> {
    return new Promise((resolve) => {
      this.#call('StartInstance', encode({ Name: name, Config: config }), (result) => {
        resolve((result as { Id: unknown }).Id);
      });
    });
  }

  /** Drives event after event until none is left to start. */
  drive(handleEvent: Uint8Array): void {
    if (eventsToStart === 0) return;
    eventsToStart -= 1;
    this.#call('HandleEvent', handleEvent, (asked) => {
      const { EventId: eventId, Data: data } = asked as { EventId: number; Data: { Method?: string } };
      if (data.Method !== 'kong.log.serialize') fail(new Error('expected the PDK call kong.log.serialize'));
      this.#call('Step', stepOf(eventId), (ended) => {
        if ((ended as { Data: unknown }).Data !== 'ret') fail(new Error('expected the end of the event'));
        eventsToEnd -= 1;
        if (eventsToEnd === 0) atEnd();
        this.drive(handleEvent);
      });
    });
  }

  #call(method: string, argument: Uint8Array, take: (result: unknown) => void): void {
    this.#take = take;
    this.#id += 1;
    // A list of four: 0, the id, the method, a list of one.
    const head = [Buffer.of(0x94, 0), encode(this.#id), encode(`plugin.${method}`), Buffer.of(0x91)];
    // In one write: the stock server cannot put a frame together that comes in pieces.
    this.#socket.write(Buffer.concat([...head, argument]));
  }
}

/** A map of two, in the order in which Kong writes it. */
function stepOf(eventId: number): Uint8Array {
  nextLog = (nextLog + 1) % encodedLogs.length;
  const log = encodedLogs[nextLog] ?? Buffer.of();
  return Buffer.concat([Buffer.of(0x82), encode('EventId'), encode(eventId), encode('Data'), log]);
}

function fail(error: Error): never {
  console.error(error);
  process.exit(1);
}

async function main(): Promise<void> {
  const [path = '', name = '', config = ''] = process.argv.slice(2);
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(path)));
  const instanceId = await connections[0]?.startInstance(name, config);
  const handleEvent = encode({ EventName: 'log', InstanceId: instanceId });
  process.on('message', ({ events }: DriveOrder) => {
    const startMs = performance.now();
    [eventsToStart, eventsToEnd] = [events, events];
    atEnd = () => process.send?.({ elapsedMs: performance.now() - startMs } satisfies DriveReport);
    for (const connection of connections) connection.drive(handleEvent);
  });
  process.send?.({ elapsedMs: 0 } satisfies DriveReport);
}

main().catch(fail);
