// Profiles of a real V8 profiler, sent by the SDK's own transport to a real server.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { getGlobalScope, Scope, type Event } from '@sentry/core';
import { defaultStackParser, makeNodeTransport, NodeClient } from '@sentry/node';
import { startProfiling, type Profiling } from '../../../../kong-plugin/sentry/send/profiling';

interface ProfileChunk {
  readonly platform: string;
  readonly version: string;
  readonly release: string;
  readonly environment: string;
  readonly profiler_id: string;
  readonly chunk_id: string;
  readonly profile: {
    readonly samples: readonly { stack_id: number; thread_id: string; timestamp: number }[];
    readonly stacks: readonly (readonly number[])[];
    readonly frames: readonly { function: string; abs_path: string; lineno: number }[];
    readonly thread_metadata: Readonly<Record<string, { name: string }>>;
  };
}

type Item = readonly [header: { readonly type: string }, payload: unknown];

const log = jest.fn();
let server: Server;
let items: Item[];
let running: (Profiling | undefined)[];

beforeEach(async () => {
  log.mockClear();
  items = [];
  running = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      items.push(...itemsOf(Buffer.concat(chunks), request.headers['content-encoding']));
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const profiling of running) profiling?.stop();
  await nextTurn();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function itemsOf(body: Buffer, encoding: string | undefined): Item[] {
  const text = (encoding === 'gzip' ? gunzipSync(body) : body).toString();
  const lines = text.split('\n').slice(1).filter(Boolean);
  return Array.from({ length: lines.length / 2 }, (_, index) => [
    JSON.parse(lines[2 * index] ?? '') as { type: string },
    JSON.parse(lines[2 * index + 1] ?? ''),
  ]);
}

function newClient(): NodeClient {
  return new NodeClient({
    dsn: `http://0123456789abcdef@127.0.0.1:${(server.address() as AddressInfo).port}/1`,
    release: 'gatewatch@1.2.3',
    environment: 'staging',
    integrations: [],
    enableRuntimeChannelInjection: false,
    stackParser: defaultStackParser,
    transport: makeNodeTransport,
  });
}

function start(client: NodeClient, sessionSampleRate = 1, random = Math.random): Profiling | undefined {
  const profiling = startProfiling(client, { sessionSampleRate, log, random });
  running.push(profiling);
  return profiling;
}

/** Some hundred milliseconds of work with a name, also where the process is given little of the machine's time. */
function countPrimesSlowly(): number {
  const before = process.cpuUsage();
  let primes = 0;
  for (let candidate = 2; process.cpuUsage(before).user < 300_000; candidate++) {
    let divisor = 2;
    while (divisor * divisor <= candidate && candidate % divisor !== 0) divisor++;
    if (divisor * divisor > candidate) primes++;
  }
  return primes;
}

describe('profiling', () => {
  it('sends where the process spent its time, in the format of continuous profiles', async () => {
    const client = newClient();
    const profiling = start(client);
    const beganS = Date.now() / 1000;
    expect(countPrimesSlowly()).toBeGreaterThan(100);
    profiling?.stop();
    await client.flush(60_000);

    expect(items.map(([{ type }]) => type)).toEqual(['profile_chunk']);
    const chunk = items[0]?.[1] as ProfileChunk;
    expect(chunk).toMatchObject({
      platform: 'node',
      version: '2',
      release: 'gatewatch@1.2.3',
      environment: 'staging',
      profiler_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      chunk_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    const { samples, stacks, frames, thread_metadata } = chunk.profile;
    expect(Object.values(thread_metadata)).toEqual([{ name: 'main' }]);
    // 300 ms at about a hundred samples a second.
    expect(samples.length).toBeGreaterThan(10);
    for (const { stack_id, timestamp } of samples) {
      expect(stacks[stack_id]?.every((frame) => frames[frame] !== undefined)).toBe(true);
      expect(Math.abs(timestamp - beganS)).toBeLessThan(30);
    }
    const inWork = samples.filter(({ stack_id }) =>
      stacks[stack_id]?.some((frame) => frames[frame]?.function === 'countPrimesSlowly'),
    );
    expect(inWork.length).toBeGreaterThan(samples.length / 2);
  });

  it('is done once in a process, for the client that asked first, until that one stops', async () => {
    const [first, second] = [newClient(), newClient()];
    const profiling = start(first);
    expect(profiling).toBeDefined();
    expect(start(second)).toBeUndefined();
    profiling?.stop();
    const next = start(second);
    expect(next).toBeDefined();
    // Whoever has stopped already does not stop another's.
    profiling?.stop();
    expect(start(first)).toBeUndefined();
    expect(log).not.toHaveBeenCalled();
    await nextTurn();
  });

  it.each([
    [0, 0, false],
    [0.25, 0.25, false],
    [0.25, 0.249, true],
    [1, 0.999_999, true],
  ])('at a rate of %d, where the dice show %d: %s', (rate, dice, isProfiled) => {
    expect(start(newClient(), rate, () => dice) !== undefined).toBe(isProfiled);
  });

  it("marks no event with the profile, neither of its own client nor of another's", async () => {
    const clients = [newClient(), newClient()];
    clients.forEach((client) => start(client));
    const seen: Event[] = [];
    for (const client of clients) {
      client.on('beforeSendEvent', (event) => seen.push(event));
      client.captureEvent({ message: 'a request' }, {}, new Scope());
      await client.flush(60_000);
    }
    expect(seen).toHaveLength(2);
    for (const event of seen) {
      expect(event.contexts).not.toHaveProperty('profile');
      expect(event.contexts?.trace?.data ?? {}).not.toHaveProperty(['thread.id']);
    }
    expect(getGlobalScope().getScopeData().contexts).toEqual({});
  });

  it('goes on from one minute to the next, and ends for good where it is stopped between two', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance', 'nextTick', 'Date'] });
    try {
      const client = newClient();
      const transport = client.getTransport();
      if (transport === undefined) throw new Error('the client has no transport');
      const sent = jest.spyOn(transport, 'send');
      const profiling = start(client);
      for (const minutes of [1, 2]) {
        countPrimesSlowly();
        jest.advanceTimersByTime(60_000);
        expect(sent).toHaveBeenCalledTimes(minutes);
        if (minutes === 1) await nextTurn();
      }
      profiling?.stop();
      await nextTurn();
      await nextTurn();
      countPrimesSlowly();
      jest.advanceTimersByTime(120_000);
      await nextTurn();
      expect(sent).toHaveBeenCalledTimes(2);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('profiling in a process', () => {
  const DIST = resolve(__dirname, '../../../../dist');
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gatewatch-profiling-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  /** Two clients that want a profile, and an event that one of them sends. */
  async function run(environment: Record<string, string>, rate = 1): Promise<{ out: string; log: string[] }> {
    const script = `
      const { NodeClient, makeNodeTransport, defaultStackParser } = require('@sentry/node');
      const { Scope } = require('@sentry/core');
      const { startProfiling } = require(${JSON.stringify(join(DIST, 'kong-plugin/sentry/send/profiling.js'))});
      const { logToStderr } = require(${JSON.stringify(join(DIST, 'kong-plugin/plugin-log.js'))});
      const clients = [1, 2].map(() => new NodeClient({
        dsn: 'http://0123456789abcdef@127.0.0.1:${(server.address() as AddressInfo).port}/1',
        integrations: [], stackParser: defaultStackParser, transport: makeNodeTransport,
      }));
      const profiled = clients.map((client) => startProfiling(client, { sessionSampleRate: ${rate}, log: logToStderr }));
      clients[0].captureEvent({ message: 'still here' }, {}, new Scope());
      clients[0].flush(60_000).then(() => {
        for (const each of profiled) each?.stop();
        if (Object.keys(require.cache).some((path) => path.includes('node-cpu-profiler'))) process.stderr.write('loaded');
      });`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', script], {
      cwd: resolve(DIST, '..'),
      env: { PATH: process.env.PATH, ...environment },
    });
    return { out: stdout, log: stderr.split('\n').filter(Boolean) };
  }

  it('loads nothing of it where no profile is wanted', async () => {
    expect(await run({}, 0)).toEqual({ out: '', log: [] });
    expect(items).toHaveLength(1);
  });

  it('says nothing where it can be done', async () => {
    expect(await run({})).toEqual({ out: '', log: ['loaded'] });
  });

  describe('without a native part that fits gives one warning, nothing on stdout, and all else works:', () => {
    async function warningOf(environment: Record<string, string>): Promise<Record<string, unknown>> {
      const { out, log: lines } = await run(environment);
      expect(out).toBe('');
      const warnings = lines.filter((line) => line !== 'loaded');
      expect(warnings).toHaveLength(1);
      expect(items).toMatchObject([[{ type: 'event' }, { message: 'still here' }]]);
      return JSON.parse(warnings[0] ?? '') as Record<string, unknown>;
    }

    it('a file that is none', async () => {
      const file = join(directory, 'profiler.node');
      writeFileSync(file, 'of another system');
      expect(await warningOf({ SENTRY_PROFILER_BINARY_PATH: file })).toMatchObject({
        level: 'warn',
        plugin: 'gatewatch',
        msg: 'profiling is switched on and cannot be done here; everything else works',
        reason: expect.stringContaining(file) as string,
        node: process.version,
        what_to_do: expect.stringContaining('continuous_profiling_auto_start') as string,
      });
    });

    it('a module that is another', async () => {
      const file = join(directory, 'profiler.cjs');
      writeFileSync(file, 'module.exports = {};');
      expect(await warningOf({ SENTRY_PROFILER_BINARY_PATH: file })).toMatchObject({
        reason: '@sentry/node-cpu-profiler has no native part for this system and this Node',
      });
    });

    it('a processor for which there is none', async () => {
      expect(await warningOf({ BUILD_ARCH: 'riscv64' })).toMatchObject({
        reason: '@sentry/node-cpu-profiler has no native part for this system and this Node',
      });
    });

    it('a package that is not installed', async () => {
      const preload = join(directory, 'without.cjs');
      writeFileSync(
        preload,
        `const Module = require('node:module');
         const resolve = Module._resolveFilename;
         Module._resolveFilename = (name, ...rest) => resolve(name === '@sentry/profiling-node' ? 'not-there' : name, ...rest);`,
      );
      expect(await warningOf({ NODE_OPTIONS: `--require ${preload}` })).toMatchObject({
        reason: "Cannot find module 'not-there'",
      });
    });
  });
});
