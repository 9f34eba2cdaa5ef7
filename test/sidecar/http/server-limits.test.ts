import { connect, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { SERVER_LIMITS, createLimitedServer } from '../../../sidecar/http/server-limits';

let server: Server;
let port: number;
let sockets: Socket[];

beforeEach(async () => {
  sockets = [];
  server = createLimitedServer((request, response) => {
    request.resume();
    request.once('end', () => response.end('ok'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Opens a connection; `ended` gives what came until its end. */
function open(): { socket: Socket; ended: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => undefined);
  return { socket, ended: new Promise((resolve) => socket.once('close', () => resolve(text))) };
}

/** The same, once the server has it. */
async function openAccepted(): Promise<ReturnType<typeof open>> {
  const accepted = new Promise((resolve) => server.once('connection', resolve));
  const opened = open();
  await accepted;
  return opened;
}

describe('the server', () => {
  it('sends a client away that never ends its headers, and answers others meanwhile', async () => {
    const { socket, ended } = open();
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nx-slow: ');
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('ok');
    const startMs = performance.now();
    expect(await ended).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - startMs).toBeLessThan(
      SERVER_LIMITS.headersTimeoutMs + 2 * SERVER_LIMITS.checkIntervalMs,
    );
  });

  it('takes no more connections than it allows, and those it has are served', async () => {
    // One after the other: above the kernel's queue (511) a client takes itself for connected before the server has it, and
    // the one too many would be let in before it.
    const first = await openAccepted();
    for (let more = 1; more < SERVER_LIMITS.maxConnections; more++) await openAccepted();
    const refused = open();
    expect(await refused.ended).toBe('');
    first.socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(await first.ended).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});
