// A process whose environment names a proxy, as a developer's machine behind one has it.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { RunningProgram } from '../../support/running-program';

const POST = resolve(__dirname, '../../../dist/sidecar/sentry/post-envelope.js');
const API = resolve(__dirname, '../../../dist/sidecar/channel/sentry/sentry-api.js');

let asked: string[];
let servers: Server[];

beforeEach(() => {
  asked = [];
  servers = [];
});
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

async function start(name: string): Promise<string> {
  const server = createServer((_request, response) => {
    asked.push(name);
    response.end();
  }).on('connect', (_request, socket) => {
    asked.push(name);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  servers.push(server);
  await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function run(call: (target: string) => string): Promise<string[]> {
  const proxy = await start('the proxy');
  const target = await start('the target');
  const script = `${call(target)}.then(() => process.exit())`;
  const program = new RunningProgram(process.execPath, ['-e', script], { http_proxy: proxy });
  await program.ended;
  return asked;
}

it('goes to Sentry through the proxy of the environment', async () => {
  expect(
    await run((target) => `require('${POST}').postEnvelope('${target}/api/1/envelope/', '{}', 2000)`),
  ).toEqual(['the proxy']);
});

it('resolves an issue through the same proxy', async () => {
  const settings = (target: string): string =>
    `{ apiUrl: '${target}', organization: 'acme', project: 'gateway', authToken: { reveal: () => 'token' } }`;
  const asks = (target: string): string =>
    `new (require('${API}').SentryApi)(${settings(target)}, 2000).resolve('1')`;
  expect(await run(asks)).toEqual(['the proxy']);
});

it('goes to a Spotlight on this machine past the proxy of the environment', async () => {
  expect(await run((target) => `require('${POST}').showEnvelope('${target}/stream', '{}')`)).toEqual([
    'the target',
  ]);
});
