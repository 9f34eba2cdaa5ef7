// The host's worker: the plugin, serving the socket that the parent holds. Started by the parent only.
import { createServer, type Socket } from 'node:net';
import { logToStderr } from '../plugin-log';
import { acceptInPlace } from './accept-in-place';
import { placeState, type SocketPlace } from './bound-socket';
import { descriptorLimit, mostConnections } from './descriptor-limit';
import { PluginHostServer } from './plugin-host-server';
import { PLUGIN_DIRECTORY } from './plugin-directory';
import { serveConnection } from './serve-connection';
import {
  ALIVE_INTERVAL_MS,
  SOCKET_FD,
  type InstanceStart,
  type ToParent,
  type ToWorker,
} from './worker-messages';

/** Above Kong's 4096 timers of one worker there is nothing to queue; the kernel caps it at net.core.somaxconn. */
const BACKLOG = 4096;

/** After a takeover, connections that were in the kernel's queue are accepted within a moment. */
const QUIET_BEFORE_LEAVING_MS = 1_000;

/** Kong starts a plugin server again within about a second; where nobody has by now, no Kong runs here any more. */
const QUIET_BEFORE_GIVING_UP_MS = 5_000;

const MOST_CONNECTIONS = mostConnections(descriptorLimit());

const connections = new Set<Socket>();
let hasSaidFull = false;
/** Where Kong finds the socket. */
let place: SocketPlace | undefined;
const pluginServer = new PluginHostServer(PLUGIN_DIRECTORY, logToStderr, (start) =>
  tellParent({ kind: 'started', start }),
);
const listener = createServer();

process.on('message', (message: ToWorker) => {
  if (message.kind === 'finish') {
    leaveWhenQuiet();
    return;
  }
  place = message.place;
  void begin(message.instances);
});
// Without its parent a worker serves on, also what connects anew, until another host has the path and Kong has left its
// connections.
process.once('disconnect', () => {
  logToStderr(
    'error',
    'the parent of the plugin server is gone; its worker serves until another has the socket',
  );
  leaveWhenQuiet();
});

setInterval(() => tellParent({ kind: 'alive' }), ALIVE_INTERVAL_MS).unref();

async function begin(instances: readonly InstanceStart[]): Promise<void> {
  for (const start of instances) {
    await pluginServer.StartInstance(start).catch((error: unknown) => {
      logToStderr('error', 'an instance cannot be started again', { reason: String(error) });
    });
  }
  // Beside an fd Node reads the backlog from this place only, not from the options.
  listener.listen({ fd: SOCKET_FD }, BACKLOG, () => {
    const accepting = acceptInPlace(listener, (open) => {
      const socket = serveConnection(open, pluginServer, logToStderr);
      connections.add(socket);
      if (connections.size >= MOST_CONNECTIONS) {
        accepting.pause();
        sayFull();
      }
      socket.once('close', () => {
        connections.delete(socket);
        accepting.resume();
      });
    });
    tellParent({ kind: 'listening' });
  });
}

/** Once: how often it comes to that depends on Kong. */
function sayFull(): void {
  if (hasSaidFull) return;
  hasSaidFull = true;
  logToStderr(
    'warn',
    'there are as many connections as open files allow; what connects now waits for one to end',
    {
      connections: connections.size,
    },
  );
}

/** A parent that is just dying cannot be told; its end is seen on its own. */
function tellParent(message: ToParent): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function leaveWhenQuiet(): void {
  let quietSinceMs = performance.now();
  const timer = setInterval(() => {
    if (connections.size > 0) quietSinceMs = performance.now();
    const mayStillCome = place !== undefined && placeState(place) === 'ours';
    const enoughMs = mayStillCome ? QUIET_BEFORE_GIVING_UP_MS : QUIET_BEFORE_LEAVING_MS;
    if (performance.now() - quietSinceMs < enoughMs) return;
    clearInterval(timer);
    // The plugin delivers what it has on SIGTERM, under this host as under the stock server.
    process.kill(process.pid, 'SIGTERM');
  }, 100);
}
