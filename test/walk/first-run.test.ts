// `npm start` as a newcomer runs it, as a process: what it prints, what it starts, and what it leaves behind.
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import { findFreePorts } from '../support/free-ports';
import { isRunning } from '../support/is-running';
import { describeWith } from '../support/program';
import { RunningProgram } from '../support/running-program';
import { parseSamples, sumOf } from '../support/samples';
import { slowness } from '../support/slowness';

const MAIN = resolve(__dirname, '../../dist/kong/demo/main.js');

let running: RunningProgram | undefined;
let basePort: number;

beforeEach(async () => {
  basePort = await findFreePorts(10);
});

afterEach(async () => {
  await running?.end('SIGTERM');
  running = undefined;
});

function start(environment: Record<string, string>, ...flags: string[]): RunningProgram {
  const ports = [
    ['--upstream-base-port', basePort],
    ['--proxy-port', basePort + 6],
    ['--status-port', basePort + 7],
    ['--sidecar-port', basePort + 8],
    ['--prometheus-port', basePort + 9],
  ].flat();
  return (running = new RunningProgram(
    process.execPath,
    [MAIN, ...ports.map(String), ...flags],
    environment,
  ));
}

/** A request through the gateway whose body does not end. */
function startUpload(): Socket {
  const upload = connect(basePort + 6, '127.0.0.1').on('error', () => undefined);
  upload.resume();
  upload.write('POST /fast HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nbegun');
  return upload;
}

/** Every process below one, from /proc. */
function descendantsOf(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((candidate) => {
      try {
        const stat = readFileSync(`/proc/${candidate}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false;
      }
    });
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1');
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

describe('a first run', () => {
  it('is up within 15 s, shows the first histogram lines, and Ctrl-C leaves nothing', async () => {
    const startMs = performance.now();
    const program = start({});
    await program.says(/Ready after/);
    expect(performance.now() - startMs).toBeLessThan(15_000 * slowness());
    await program.says(/external_request_duration_seconds_bucket\{service="[a-z-]+"/);
    for (const port of [basePort + 6, basePort + 7, basePort + 8]) {
      expect(program.output).toContain(`http://127.0.0.1:${port}`);
    }
    expect(program.output).toContain('stand-in for Kong');

    // The steady traffic reaches every kind of trouble.
    const sidecar = `http://127.0.0.1:${basePort + 8}`;
    await eventually(async () => {
      const samples = parseSamples(await (await fetch(`${sidecar}/metrics`)).text());
      const types = ['upstream_timeout', 'upstream_unreachable', 'upstream_server_error', 'route_not_found'];
      for (const type of types) {
        expect([type, sumOf(samples, 'application_errors_total', { error_type: type }) > 0]).toEqual([
          type,
          true,
        ]);
      }
    });

    const processes = descendantsOf(program.pid);
    expect(processes.length).toBeGreaterThanOrEqual(4);
    const runDirectories = processes.flatMap((pid) => {
      const [ledger] = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        try {
          return [readlinkSync(join(`/proc/${pid}/fd`, fd))].filter((path) => path.endsWith('ledger.mdb'));
        } catch {
          return [];
        }
      });
      return ledger === undefined ? [] : [resolve(ledger, '..', '..')];
    });
    expect(runDirectories).toHaveLength(1);
    // Also while a client has not ended its upload.
    const upload = startUpload();
    const broken = new Promise((resolve) => upload.once('close', resolve));
    const { code } = await program.end('SIGINT');
    expect(code).toBe(0);
    await broken;
    expect(program.output).toContain('Stopped: no process, socket or file of this run is left.');
    expect(processes.filter(isRunning)).toEqual([]);
    expect(existsSync(runDirectories[0] ?? '')).toBe(false);
    for (let port = basePort; port < basePort + 10; port++)
      expect([port, await isTaken(port)]).toEqual([port, false]);
  });

  it('sends nothing with --no-traffic, and counts the requests of its user', async () => {
    const program = start({}, '--no-traffic');
    await program.says(/Ready after/);
    const sidecar = `http://127.0.0.1:${basePort + 8}`;
    expect((await fetch(`http://127.0.0.1:${basePort + 6}/fast`)).status).toBe(200);
    await program.says(
      /external_request_duration_seconds_count\{service="fast",operation="GET fast",status="200"\} 1/,
    );
    const samples = parseSamples(await (await fetch(`${sidecar}/metrics`)).text());
    expect(sumOf(samples, 'gatewatch_requests_total')).toBe(1);
  });

  it('says which port is taken and by which flag to change it', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(basePort + 6, '127.0.0.1', resolve));
    try {
      const { code } = await start({}).ended;
      expect(code).toBe(1);
      expect(running?.output).toContain(String(basePort + 6));
      expect(running?.output).toContain('--proxy-port');
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
  });

  it('says so when there is no real Kong for --kong', async () => {
    running = new RunningProgram(process.execPath, [MAIN, '--kong'], { PATH: '/nowhere' });
    const { code } = await running.ended;
    expect(code).toBe(1);
    expect(running.output).toContain('there is no program `kong` on the PATH');
  });
});

describe('a first run that is not left to end in its own way', () => {
  let directory: string;

  beforeEach(() => {
    // All of a run is under the temporary folder, and this one is nobody else's.
    directory = mkdtempSync(join(tmpdir(), 'gw-run-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  /** Every process that names the folder in its command or its environment: all of the run, orphans too. */
  function processesOfRun(): string[] {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && isRunning(Number(entry)))
      .flatMap((pid) => {
        try {
          const [command = '', environment = ''] = ['cmdline', 'environ'].map((file) =>
            readFileSync(`/proc/${pid}/${file}`, 'utf8'),
          );
          return `${command}${environment}`.includes(directory)
            ? [`${pid} ${command.replaceAll('\0', ' ')}`]
            : [];
        } catch {
          return [];
        }
      });
  }

  async function hasLeftNothing(): Promise<void> {
    // Whoever was killed is gone in a moment, which nothing tells of.
    await eventually(() => {
      expect(processesOfRun()).toEqual([]);
      return Promise.resolve();
    }, 500 * slowness());
    expect(readdirSync(directory)).toEqual([]);
    for (let port = basePort; port < basePort + 10; port++)
      expect([port, await isTaken(port)]).toEqual([port, false]);
  }

  it('ends at once where an upload is open, and leaves no process, no socket and no file', async () => {
    const program = start({ TMPDIR: directory });
    await program.says(/Ready after/);
    expect(processesOfRun().length).toBeGreaterThanOrEqual(5);
    const upload = startUpload();
    await program.says(/external_request_duration_seconds_bucket/);
    process.kill(program.pid, 'SIGINT');
    await program.says(/Stopping/);
    // The gateway waits for the upload, for longer than this.
    await delay(1_000);
    expect(processesOfRun().length).toBeGreaterThanOrEqual(5);
    const secondMs = performance.now();
    expect(await program.end('SIGINT')).toEqual({ code: 130, signal: null });
    expect(performance.now() - secondMs).toBeLessThan(3_000 * slowness());
    upload.destroy();
    await hasLeftNothing();
  });

  function gatewayOf(program: RunningProgram): number {
    const isGateway = (pid: number): boolean =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/kong/embedded/main.js');
    const gateway = descendantsOf(program.pid).find(isGateway);
    if (gateway === undefined) throw new Error('there is no gateway');
    return gateway;
  }

  it('ends at once where the gateway hears no signal, and leaves nothing of what that had started', async () => {
    const program = start({ TMPDIR: directory });
    await program.says(/external_request_duration_seconds_bucket/);
    process.kill(gatewayOf(program), 'SIGSTOP');
    process.kill(program.pid, 'SIGINT');
    await program.says(/Stopping/);
    await delay(1_000);
    expect(await program.end('SIGINT')).toEqual({ code: 130, signal: null });
    await hasLeftNothing();
  });

  it('leaves nothing where the gateway was killed, and says that it was', async () => {
    const program = start({ TMPDIR: directory });
    await program.says(/external_request_duration_seconds_bucket/);
    process.kill(gatewayOf(program), 'SIGKILL');
    expect(await program.ended).toEqual({ code: 1, signal: null });
    expect(program.output).toContain('The gateway was ended by SIGKILL');
    await hasLeftNothing();
  });

  it.each([0, 150, 400, 800])(
    'leaves nothing where it is stopped twice while it starts, after %i ms',
    async (startedMs) => {
      const program = start({ TMPDIR: directory });
      await program.says(/Gatewatch/);
      await delay(startedMs);
      process.kill(program.pid, 'SIGINT');
      await Promise.race([program.ended, delay(600)]);
      await program.end('SIGINT');
      await hasLeftNothing();
    },
  );
});

describe('a first run with --kong', () => {
  it('starts the `kong` of the PATH in the foreground, with an environment that the stand-in takes as well', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-kong-'));
    // Stands where Kong would: writes down how it was called, then serves as the stand-in does.
    const kong = join(directory, 'kong');
    const script = [
      '#!/bin/sh',
      `echo "$@" > ${directory}/arguments`,
      `env > ${directory}/environment`,
      `exec ${process.execPath} ${resolve(MAIN, '../../embedded/main.js')}`,
    ];
    writeFileSync(kong, `${script.join('\n')}\n`, { mode: 0o755 });
    const program = start({ PATH: `${directory}:/usr/bin:/bin` }, '--kong');
    await program.says(/Ready after/);
    expect(program.output).toContain('with the real Kong from the PATH');
    expect(readFileSync(join(directory, 'arguments'), 'utf8')).toBe('start\n');
    const environment = readFileSync(join(directory, 'environment'), 'utf8');
    for (const line of ['KONG_DATABASE=off', 'KONG_NGINX_DAEMON=off', 'KONG_PLUGINS=bundled,gatewatch']) {
      expect(environment).toContain(`${line}\n`);
    }
    await program.says(/external_request_duration_seconds_count/);
    expect((await program.end('SIGINT')).code).toBe(0);
    rmSync(directory, { recursive: true, force: true });
  });
});

describeWith('prometheus', 'a first run with Prometheus on the PATH', () => {
  it('starts it, prints its address, and every target is up', async () => {
    const program = start({});
    await program.says(/Ready after/);
    const prometheus = `http://127.0.0.1:${basePort + 9}`;
    expect(program.output).toContain(prometheus);
    await eventually(async () => {
      const answer = await fetch(`${prometheus}/api/v1/targets?state=active`);
      const { data } = (await answer.json()) as {
        data: { activeTargets: { labels: { job: string }; health: string }[] };
      };
      expect(data.activeTargets.map(({ labels, health }) => `${labels.job} ${health}`).sort()).toEqual([
        'gatewatch up',
        'kong up',
      ]);
    });
  });
});
