// In: how many consecutive ports of 127.0.0.1 are wanted. Out: the first of a free run of them, below the range from which
// the system hands out ports by itself, so that no other test's port 0 lands in it.
import { createServer, type Server } from 'node:net';

const LOWEST = 20_000;
const HIGHEST = 31_000;

/** @throws if a hundred places were tried in vain */
export async function findFreePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST - count));
    const servers = await Promise.all(Array.from({ length: count }, (_, index) => tryListen(first + index)));
    const held = servers.filter((server) => server !== undefined);
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
    if (held.length === count) return first;
  }
  throw new Error(`No run of ${count} free ports was found on 127.0.0.1 from ${LOWEST} to ${HIGHEST}.`);
}

function tryListen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}
