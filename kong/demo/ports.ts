// In: the demo's options. Out: the ports it needs, and a sentence for each that it cannot have, naming the flag that
// changes it. A port counts as taken if 127.0.0.1 refuses a listener on it now; between this probe and the real
// listener another program may still take it, and the start then fails with that program's own message.
import { createServer } from 'node:net';
import { UPSTREAM_PORT_COUNT, type DemoOptions } from './options';

/** One port of 127.0.0.1, what it is for, and the flag that changes it. */
export interface NeededPort {
  readonly port: number;
  readonly purpose: string;
  readonly flag: string;
}

/** Every port the demo will use; Prometheus's and Spotlight's only if they will be started. */
export function listNeededPorts(options: DemoOptions, withPrometheus: boolean): NeededPort[] {
  const ports: NeededPort[] = [
    { port: options.proxyPort, purpose: "the gateway's proxy", flag: '--proxy-port' },
    { port: options.statusPort, purpose: "the gateway's status API", flag: '--status-port' },
    { port: options.sidecarPort, purpose: 'the sidecar', flag: '--sidecar-port' },
  ];
  if (withPrometheus) {
    ports.push({ port: options.prometheusPort, purpose: 'Prometheus', flag: '--prometheus-port' });
  }
  if (options.spotlight) {
    ports.push({ port: options.spotlightPort, purpose: 'Spotlight', flag: '--spotlight-port' });
  }
  for (let index = 0; index < UPSTREAM_PORT_COUNT; index++) {
    ports.push({
      port: options.upstreamBasePort + index,
      purpose: `demo upstream ${index + 1} of ${UPSTREAM_PORT_COUNT}`,
      flag: '--upstream-base-port',
    });
  }
  return ports;
}

/** A sentence for each port that two programs were told to use. */
export function describeClashes(needed: readonly NeededPort[]): string[] {
  const firstByPort = new Map<number, NeededPort>();
  const sentences: string[] = [];
  for (const wanted of needed) {
    const first = firstByPort.get(wanted.port);
    if (first === undefined) firstByPort.set(wanted.port, wanted);
    else {
      sentences.push(
        `Port ${wanted.port} is asked for twice: for ${first.purpose} (${first.flag}) and for ${wanted.purpose} (${wanted.flag}).`,
      );
    }
  }
  return sentences;
}

/** A sentence for each port on which 127.0.0.1 gives no listener; empty if all are free. Never rejects. */
export async function describeTakenPorts(needed: readonly NeededPort[]): Promise<string[]> {
  const sentences = await Promise.all(
    needed.map(async ({ port, purpose, flag }) => {
      const code = await probe(port);
      if (code === undefined) return [];
      const fact = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be listened on (${code})`;
      return [
        `Port ${port} (${purpose}) ${fact}. Choose another with ${flag}: npm start -- ${flag} ${suggest(port)}`,
      ];
    }),
  );
  return sentences.flat();
}

// Any other port would do; 10,000 up is easy to recognise.
function suggest(port: number): number {
  return port + 10_000 + UPSTREAM_PORT_COUNT <= 65_535 ? port + 10_000 : port - 10_000;
}

function probe(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
