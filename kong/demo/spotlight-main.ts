// Spotlight, Sentry's page for development, as a program of the demo: takes envelopes, decodes them and shows them in a browser.
// In: DEMO_SPOTLIGHT_PORT (8969). Ends on SIGTERM or SIGINT with 0; a bad port, a taken one or a missing package ends it with 2
// or 1 and a sentence.
// Not by the package's own command, which listens on every interface and reports its use to those who make it, neither of which
// can be switched off. This starts the same server by the package's own function, without the file that reports.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as Listener } from 'node:net';
import { findSpotlight, readSpotlightPage, SPOTLIGHT_MISSING } from './spotlight-package';

const HOST = '127.0.0.1';
/** How this machine names itself to a browser on it. */
const OWN_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

async function main(): Promise<number | undefined> {
  const written = process.env.DEMO_SPOTLIGHT_PORT ?? '8969';
  const port = Number(written);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    console.error(`DEMO_SPOTLIGHT_PORT must be a whole number from 1 to 65535, found "${written}".`);
    return 2;
  }
  const folder = findSpotlight();
  if (folder === undefined) {
    console.error(SPOTLIGHT_MISSING);
    return 1;
  }
  listenOnLoopbackOnly();
  const { setupSpotlight } = await import('@spotlightjs/spotlight');
  const server = await setupSpotlight({ port, filesToServe: readSpotlightPage(folder), isStandalone: true });
  if (server === undefined) {
    console.error(`Another Spotlight answers on port ${port} of this machine.`);
    return 1;
  }
  refuseOtherSites(server);
  console.log(`Spotlight listens on http://localhost:${port}/`);
  return undefined;
}

/** Spotlight names no host, which would be every interface. */
function listenOnLoopbackOnly(): void {
  const listen = Reflect.get(Listener.prototype, 'listen') as (...args: unknown[]) => Listener;
  Listener.prototype.listen = function (this: Listener, port: unknown, ...others: unknown[]) {
    const onListening = others.filter((other) => typeof other === 'function');
    return listen.call(this, { port, host: HOST }, ...onListening);
  };
}

/**
 * Spotlight reads files around a line and opens them in an editor for whoever asks. A page of another site must not, neither by
 * a request of its own nor by a name that it has made point to this machine.
 */
function refuseOtherSites(server: Server): void {
  const handlers = server.listeners('request') as ((
    request: IncomingMessage,
    response: ServerResponse,
  ) => void)[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { host = '', origin } = request.headers;
    if (isOwn(`http://${host}`) && (origin === undefined || isOwn(origin))) {
      for (const handle of handlers) handle.call(server, request, response);
    } else {
      response.writeHead(403, { 'content-type': 'text/plain' }).end('only for this machine\n');
    }
  });
}

function isOwn(origin: string): boolean {
  return URL.canParse(origin) && OWN_NAMES.includes(new URL(origin).hostname);
}

main().then(
  (code) => {
    if (code !== undefined) process.exit(code);
  },
  (error: unknown) => {
    console.error(`Spotlight could not start: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  },
);
