// The demo upstreams as a program of their own, for `npm start` and for docker-compose.yml.
// In: DEMO_UPSTREAMS_HOST (127.0.0.1), DEMO_UPSTREAMS_BASE_PORT (9101, six ports from there). Ends on SIGTERM or SIGINT
// with 0; a bad port or a taken one ends it with 2 or 1 and a sentence.
import { UPSTREAM_PORT_COUNT } from './options';
import { startDemoUpstreams } from './upstreams';

async function main(): Promise<void> {
  const host = process.env.DEMO_UPSTREAMS_HOST ?? '127.0.0.1';
  const written = process.env.DEMO_UPSTREAMS_BASE_PORT ?? '9101';
  const basePort = Number(written);
  const highest = 65_535 - UPSTREAM_PORT_COUNT + 1;
  if (!Number.isInteger(basePort) || basePort < 1 || basePort > highest) {
    console.error(
      `DEMO_UPSTREAMS_BASE_PORT must be a whole number from 1 to ${highest}, found "${written}".`,
    );
    process.exitCode = 2;
    return;
  }
  try {
    const upstreams = await startDemoUpstreams(host, basePort);
    const stop = (): void => void upstreams.close().then(() => process.exit(0));
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    console.log(
      `Demo upstreams listen on ${host}, ports ${basePort} to ${basePort + UPSTREAM_PORT_COUNT - 1}.`,
    );
  } catch (error) {
    console.error(
      `The demo upstreams could not start: ${error instanceof Error ? error.message : String(error)}`,
    );
    process.exitCode = 1;
  }
}

void main();
