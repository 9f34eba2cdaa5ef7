// Clients of /metrics that do not read, against what a scrape may hold.
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { RunningScrapes, MOST_SCRAPES } from '../../../sidecar/http/running-scrapes';
import { sendChunks } from '../../../sidecar/http/send-chunks';
import { eventually } from '../../support/eventually';

const CHUNK = `${'x'.repeat(64 * 1024 - 1)}\n`;
const CHUNKS = 2_000;

let server: Server;
let port: number;
let sockets: Socket[];
let made: number;
let ended: number;
let brokenOff: number;

function* chunks(): Generator<string> {
  try {
    for (let one = 0; one < CHUNKS; one++) {
      made += 1;
      yield CHUNK;
    }
  } finally {
    ended += 1;
  }
}

beforeEach(async () => {
  [made, ended, brokenOff] = [0, 0, 0];
  sockets = [];
  const scrapes = new RunningScrapes();
  server = createServer((_request, response) => {
    if (scrapes.begin(response)) brokenOff += 1;
    void sendChunks(response, chunks());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Asks, and does not read the answer. */
function askOnly(): Socket {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket.on('error', () => undefined).pause());
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  return socket;
}

/** Settles once nothing more is made for those who do not read. */
async function untilHeldUp(): Promise<void> {
  await eventually(async () => {
    const before = made;
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (made === 0 || made > before) throw new Error(`${made} chunks were made`);
  });
}

describe('a long answer', () => {
  it('reaches a client that reads, whole', async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(text.length).toBe(CHUNKS * CHUNK.length);
    expect([made, ended]).toEqual([CHUNKS, 1]);
  });

  it('is made no faster than it is read, and not to its end where the client leaves', async () => {
    const socket = askOnly();
    await untilHeldUp();
    // What the system takes for a connection, on either side.
    expect(made).toBeLessThan(CHUNKS / 5);
    const madeBefore = made;
    socket.destroy();
    await eventually(() => (ended === 1 ? Promise.resolve() : Promise.reject(new Error('it goes on'))));
    expect(made).toBeLessThanOrEqual(madeBefore + 1);
  });

  it('ends the first of those that are not read where there are too many, and is served itself', async () => {
    for (let one = 0; one < MOST_SCRAPES; one++) askOnly();
    await untilHeldUp();
    expect([ended, brokenOff]).toEqual([0, 0]);
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(text.length).toBe(CHUNKS * CHUNK.length);
    expect([ended, brokenOff]).toEqual([2, 1]);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe(text);
    expect([ended, brokenOff]).toEqual([3, 1]);
  });
});
