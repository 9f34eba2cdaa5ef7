// Opens the sidecar's address. A unix socket that a dead sidecar left is removed; one that a living process answers is not.
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import type { ListenAddress } from '../config/config';
import { describeListen } from '../config/render-config';

/** The address cannot be used; the message is for the operator. */
export class ListenFault extends Error {}

/** How an address is written in the configuration. A port of 0 is replaced by the one that the system gave. */
export function describeAddress(address: ListenAddress, server?: Server): string {
  const bound = server?.address();
  if (address.kind === 'unix' || typeof bound !== 'object' || !bound) return describeListen(address);
  return describeListen({ ...address, port: bound.port });
}

/** @throws ListenFault */
export async function listen(server: Server, address: ListenAddress): Promise<void> {
  if (address.kind === 'unix') await removeStaleSocket(address.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ListenFault(`listen: ${describeAddress(address)}: ${explain(error)}`));
    });
    if (address.kind === 'unix') server.listen(address.path, resolve);
    else server.listen(address.port, address.host, resolve);
  });
  // Kong's plugin server often runs as another user; the token and the directory's mode keep others out.
  if (address.kind === 'unix') chmodSync(address.path, 0o666);
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !found.isSocket()) {
    throw new ListenFault(`listen: unix:${path}: something else than a socket is there; name another path`);
  }
  await new Promise<void>((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      reject(new ListenFault(`listen: unix:${path}: another process answers on this socket; stop it first`));
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') rmSync(path, { force: true });
      resolve();
    });
  });
}

function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the address is taken; stop the program that holds it or choose another (GATEWATCH_LISTEN)';
    case 'EACCES':
      return 'this user may not listen there; choose another address (GATEWATCH_LISTEN)';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address (GATEWATCH_LISTEN)';
    default:
      return error.message;
  }
}
