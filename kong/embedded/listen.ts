// In: a server and the address that a variable sets. Out: the server listening, or one sentence that names both.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from './read-settings';

/** An address that cannot be listened on. */
export class ListenFault extends Error {}

/**
 * Listens; port 0 takes a free one.
 *
 * @returns the port
 * @throws ListenFault
 */
export function listen(server: Server, address: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const where = `${address.host}:${address.port}`;
      const reason =
        error.code === 'EADDRINUSE' ? 'is already in use' : `cannot be listened on (${error.message})`;
      reject(new ListenFault(`${where} ${reason}: set ${address.variable} to a free address`));
    };
    server.once('error', onError);
    server.listen(address.port, address.host, () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
