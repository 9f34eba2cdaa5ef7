// The host as a process, where the stock plugin server fails: broken frames and connections, crashes, bursts, a takeover.
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { encode } from '@msgpack/msgpack';
import { eventually } from '../../support/eventually';
import { isRunning } from '../../support/is-running';
import { LiveMemory } from '../../support/live-memory';
import { HOST_SERVER, startPluginServer } from '../../support/plugin-servers';
import { RpcClient } from '../../support/rpc-client';
import { RunningProgram } from '../../support/running-program';
import { ScriptedSidecar } from '../../support/scripted-sidecar';

const LOG = readFileSync(resolve(__dirname, '../../fixtures/kong/logs/200.json'), 'utf8');

jest.setTimeout(300_000);

let directory: string;
let socketPath: string;
let sidecar: ScriptedSidecar;
let hosts: RunningProgram[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-host-'));
  socketPath = join(directory, 'gatewatch.sock');
  sidecar = await ScriptedSidecar.start();
  hosts = [];
});

afterEach(async () => {
  for (const host of hosts) await host.end('SIGTERM');
  await sidecar.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Gives another command that becomes the given one. */
type Wrap = (command: readonly string[]) => readonly string[];

async function startHost(wrap?: Wrap): Promise<RunningProgram> {
  const host = await startPluginServer(HOST_SERVER, socketPath, wrap);
  hosts.push(host);
  return host;
}

/** The first `count` workers of the host end before they have done anything. */
function dyingWorkers(count: number): Wrap {
  const preload = join(directory, 'die.cjs');
  const [main, deaths] = ['worker-main.js', join(directory, 'deaths')].map((text) => JSON.stringify(text));
  writeFileSync(
    preload,
    `const { appendFileSync, statSync } = require('node:fs');
    if (process.argv[1].endsWith(${main})) {
      appendFileSync(${deaths}, '.');
      if (statSync(${deaths}).size <= ${count}) process.kill(process.pid, 'SIGKILL');
    }`,
  );
  return (command) => ['/usr/bin/env', `NODE_OPTIONS=--require ${preload}`, ...command];
}

async function startInstance(kong: RpcClient, config: Record<string, unknown> = {}): Promise<number> {
  const document = JSON.stringify({
    sidecar_url: sidecar.url,
    flush_interval_ms: 100,
    spool_dir: directory,
    ...config,
  });
  const started = await kong.call('StartInstance', { Name: 'gatewatch', Config: document });
  return (started as { Id: number }).Id;
}

async function logEvent(kong: RpcClient, instance: number, text = LOG): Promise<void> {
  await kong.call('HandleEvent', { InstanceId: instance, EventName: 'log' });
  expect(await kong.call('Step', { EventId: instance, Data: text })).toEqual({
    Data: 'ret',
    EventId: instance,
  });
}

async function open(): Promise<Socket> {
  const socket = connect(socketPath);
  await new Promise<void>((done, fail) => socket.once('connect', done).once('error', fail));
  return socket;
}

/** HandleEvent and Step. */
function eventBytes(instance: number): Buffer {
  return Buffer.concat([
    encode([0, 1, 'plugin.HandleEvent', [{ EventName: 'log', InstanceId: instance }]]),
    encode([0, 2, 'plugin.Step', [{ EventId: instance, Data: LOG }]]),
  ]);
}

/** Does it for each, for so many at a time. */
async function inTurns<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
  atATime = 64,
): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: atATime }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

const workerOf = (host: RunningProgram): number => HOST_SERVER.holderOf(host.pid);

const eventsTaken = (): number => sidecar.taken.reduce((sum, { statistics }) => sum + statistics.events, 0);

const malformedTaken = (): number =>
  sidecar.taken.reduce((sum, { statistics }) => sum + statistics.malformedLogs, 0);

describe('the plugin host', () => {
  it('lives through a connection that breaks off after any byte, and counts what was whole', async () => {
    const host = await startHost();
    const worker = workerOf(host);
    const kong = await RpcClient.connect(socketPath);
    const first = eventBytes(await startInstance(kong));
    const both = Buffer.concat([first, first]);
    const cuts = Array.from({ length: both.length + 1 }, (_, bytes) => bytes);
    await inTurns(cuts, async (bytes) => {
      const socket = await open();
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.end(both.subarray(0, bytes));
      // Every other one does not wait for the answers either.
      if (bytes % 2 === 0) socket.destroySoon();
      else socket.resume();
      await closed;
    });
    kong.close();
    // Of one length both events are whole, of as many as an event is long the first one.
    const whole = first.length + 2;
    await sidecar.until(() => sidecar.requests >= whole);
    expect(workerOf(host)).toBe(worker);
    // It delivers everything, so that nothing can follow.
    await host.end('SIGTERM');
    expect([sidecar.requests, eventsTaken(), malformedTaken()]).toEqual([whole, whole, 0]);
    expect(host.output).not.toContain('did not speak the plugin protocol');
  });

  it('starts its worker again also where nobody reads what it says any more', async () => {
    const host = await startHost();
    host.stopReading();
    const worker = workerOf(host);
    process.kill(worker, 'SIGKILL');
    await eventually(() => {
      expect(workerOf(host)).not.toBe(worker);
      return Promise.resolve();
    });
    const kong = await RpcClient.connect(socketPath);
    await logEvent(kong, await startInstance(kong));
    await sidecar.until(() => sidecar.requests === 1);
    kong.close();
    expect(await host.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('puts an event together that was split at any byte', async () => {
    const host = await startHost();
    const kong = await RpcClient.connect(socketPath);
    const instance = await startInstance(kong);
    const event = eventBytes(instance);
    const answers = Buffer.concat([
      encode([1, 1, null, { Data: { Method: 'kong.log.serialize', Args: [] }, EventId: instance }]),
      encode([1, 2, null, { Data: 'ret', EventId: instance }]),
    ]);
    const cuts = Array.from({ length: event.length - 1 }, (_, index) => index + 1);
    await inTurns(cuts, async (cut) => {
      const socket = await open();
      socket.write(event.subarray(0, cut));
      // What came before this call is read before it is answered.
      await kong.call('HandleEvent', { InstanceId: instance, EventName: 'access' });
      socket.write(event.subarray(cut));
      let received = Buffer.alloc(0);
      while (received.length < answers.length) {
        const [chunk] = (await once(socket, 'data')) as [Buffer];
        received = Buffer.concat([received, chunk]);
      }
      expect(received).toEqual(answers);
      socket.destroy();
    });
    kong.close();
    await host.end('SIGTERM');
    expect([sidecar.requests, eventsTaken(), malformedTaken()]).toEqual([cuts.length, cuts.length, 0]);
  });

  it('takes events apart that were joined', async () => {
    const host = await startHost();
    const kong = await RpcClient.connect(socketPath);
    const event = eventBytes(await startInstance(kong));
    const socket = await open();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume().end(Buffer.concat(new Array<Buffer>(500).fill(event)));
    await closed;
    kong.close();
    await host.end('SIGTERM');
    expect([sidecar.requests, eventsTaken(), malformedTaken()]).toEqual([500, 500, 0]);
  });

  it('takes a log of a megabyte', async () => {
    await startHost();
    const kong = await RpcClient.connect(socketPath);
    const instance = await startInstance(kong);
    const log = JSON.parse(LOG) as { request: { headers: Record<string, string> } };
    log.request.headers['x-large'] = 'x'.repeat(1_000_000);
    await logEvent(kong, instance, JSON.stringify(log));
    await sidecar.until(() => sidecar.requests === 1);
    expect(malformedTaken()).toBe(0);
    kong.close();
  });

  it('closes a connection that speaks something else, says so, and serves the others', async () => {
    const host = await startHost();
    const kong = await RpcClient.connect(socketPath);
    for (const nonsense of [Buffer.from([0xc1]), Buffer.from('GET / HTTP/1.1\r\n\r\n'), encode([0, 1])]) {
      const socket = await open();
      socket.write(nonsense);
      await new Promise((closed) => socket.once('close', closed));
    }
    expect(host.output.match(/did not speak the plugin protocol/g)).toHaveLength(3);
    await logEvent(kong, await startInstance(kong));
    kong.close();
  });

  it('answers another phase at once, an unknown method with an error, and keeps Kong’s words for a lost instance', async () => {
    await startHost();
    const kong = await RpcClient.connect(socketPath);
    const instance = await startInstance(kong);
    expect(await kong.call('HandleEvent', { InstanceId: instance, EventName: 'access' })).toEqual({
      Data: 'ret',
      EventId: instance,
    });
    await expect(kong.call('Nonsense', {})).rejects.toThrow('method Nonsense not implemented');
    await expect(kong.call('HandleEvent', { InstanceId: 0, EventName: 'log' })).rejects.toThrow(
      'no plugin instance #0',
    );
    await expect(kong.call('Step', { EventId: 0, Data: LOG })).rejects.toThrow('no plugin instance #0');
    await kong.call('CloseInstance', instance);
    await expect(kong.call('HandleEvent', { InstanceId: instance, EventName: 'log' })).rejects.toThrow(
      'no plugin instance',
    );
    kong.close();
  });

  it('serves 500 connections at once', async () => {
    await startHost();
    const kongs = await Promise.all(Array.from({ length: 500 }, () => RpcClient.connect(socketPath)));
    const [first] = kongs;
    const instance = await startInstance(first as RpcClient);
    for (let round = 0; round < 4; round++) await Promise.all(kongs.map((kong) => logEvent(kong, instance)));
    await sidecar.until(() => sidecar.requests === 2_000);
    for (const kong of kongs) kong.close();
  });

  it('keeps the memory of a worker flat, whatever instances come and whatever Kong never answers', async () => {
    const memory = new LiveMemory();
    const host = await startHost(memory.wrap);
    const kong = await RpcClient.connect(socketPath);
    const worker = workerOf(host);
    const churn = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        const instance = await startInstance(kong, { __seq__: `${rounds}/${round}` });
        for (let event = 0; event < 5; event++)
          await kong.call('HandleEvent', { InstanceId: instance, EventName: 'log' });
      }
    };
    // What was worked at last goes with the second collection.
    const liveMb = async (): Promise<number> => memory.readMb(worker).then(() => memory.readMb(worker));
    // As many as a host keeps, and more.
    await churn(2_000);
    const before = await liveMb();
    await churn(4_000);
    // 4,000 instances or 20,000 unfinished events that stayed would be more.
    expect((await liveMb()) - before).toBeLessThan(2);
    kong.close();
    memory.remove();
  });

  it('takes over from a host that has the socket, without a moment in between; the first delivers and leaves', async () => {
    const first = await startHost();
    const old = await RpcClient.connect(socketPath);
    const instance = await startInstance(old, { flush_interval_ms: 10_000 });
    const end = new AbortController();
    let connected = 0;
    const refused: unknown[] = [];
    const knocking = (async () => {
      while (!end.signal.aborted) {
        await RpcClient.connect(socketPath).then(
          async (kong) => {
            connected += 1;
            // One at a time: knocking faster than a busy machine accepts would fill the queue by itself.
            await startInstance(kong);
            kong.close();
          },
          (error: unknown) => refused.push(error),
        );
      }
    })();
    await startHost();
    await first.says(/another plugin server has taken the socket over/);
    end.abort();
    await knocking;
    expect([refused.map(String), connected > 10]).toEqual([[], true]);
    // Kong's pool still holds a connection to the first.
    await logEvent(old, instance);
    expect(eventsTaken()).toBe(0);
    old.close();
    expect(await first.ended).toEqual({ code: 0, signal: null });
    expect(eventsTaken()).toBe(1);
    const kong = await RpcClient.connect(socketPath);
    await logEvent(kong, await startInstance(kong));
    kong.close();
  });

  it('starts a worker again that was killed; what connects meanwhile waits', async () => {
    const host = await startHost();
    const worker = workerOf(host);
    process.kill(worker, 'SIGKILL');
    const kongs = await Promise.all(Array.from({ length: 50 }, () => RpcClient.connect(socketPath)));
    const instance = await startInstance(kongs[0] as RpcClient);
    await Promise.all(kongs.map((kong) => logEvent(kong, instance)));
    await sidecar.until(() => sidecar.requests === 50);
    expect(host.output).toMatch(
      /"the worker of the plugin server ended; it is started again","signal":"SIGKILL"/,
    );
    expect(isRunning(worker)).toBe(false);
    for (const kong of kongs) kong.close();
  });

  it('starts another worker where the first ones die before they listen', async () => {
    const host = await startHost(dyingWorkers(2));
    expect(host.output.match(/ended; it is started again","signal":"SIGKILL"/g)).toHaveLength(2);
    const kong = await RpcClient.connect(socketPath);
    await logEvent(kong, await startInstance(kong));
    await sidecar.until(() => sidecar.requests === 1);
    kong.close();
  });

  it('ends where no worker lives until it listens, so that Kong starts it again', async () => {
    const [command = '', ...args] = dyingWorkers(1_000)([process.execPath, ...HOST_SERVER.serve(socketPath)]);
    const host = new RunningProgram(command, args);
    expect(await host.ended).toEqual({ code: 1, signal: null });
    expect(host.output).toMatch(
      /"no worker of the plugin server lived until it could listen; the plugin server ends",.*"failedStarts":5/,
    );
    expect(readdirSync(directory).filter((name) => name.startsWith('gatewatch.sock'))).toEqual([]);
  });

  it('has a worker that lives on where its parent is killed while instances are started', async () => {
    for (let round = 0; round < 5; round++) {
      const host = await startHost();
      const kong = await RpcClient.connect(socketPath);
      await startInstance(kong);
      const starting = (async () => {
        for (let one = 0; one < 100; one++) await startInstance(kong, { __seq__: one });
      })();
      process.kill(host.pid, 'SIGKILL');
      await starting;
      await logEvent(kong, await startInstance(kong));
      kong.close();
    }
    await sidecar.until(() => sidecar.requests === 5);
  });

  it('has a worker that takes connections without its parent, until another host has the socket', async () => {
    const killed = await startHost();
    hosts = [];
    const worker = workerOf(killed);
    process.kill(killed.pid, 'SIGKILL');
    await killed.says(/the parent of the plugin server is gone/);
    // Longer than it waits for what may still be in the queue.
    await delay(1_500);
    const kong = await RpcClient.connect(socketPath);
    await logEvent(kong, await startInstance(kong));
    expect(isRunning(worker)).toBe(true);
    const host = await startHost();
    expect(isRunning(worker)).toBe(true);
    await logEvent(kong, await startInstance(kong));
    kong.close();
    await eventually(() => {
      expect(isRunning(worker)).toBe(false);
      return Promise.resolve();
    });
    expect(sidecar.requests).toBe(2);
    expect(workerOf(host)).not.toBe(worker);
  });

  it('takes a burst of 2,000 connections while its worker stands still', async () => {
    const host = await startHost();
    const kong = await RpcClient.connect(socketPath);
    const instance = await startInstance(kong);
    const worker = workerOf(host);
    process.kill(worker, 'SIGSTOP');
    const sockets = await Promise.all(Array.from({ length: 2_000 }, () => RpcClient.connect(socketPath)));
    const events = sockets.map((socket) => logEvent(socket, instance));
    process.kill(worker, 'SIGCONT');
    await Promise.all(events);
    await sidecar.until(() => sidecar.requests === 2_000);
    for (const socket of [kong, ...sockets]) socket.close();
  });

  it('answers more connections than it may have open files: the others wait until some have ended', async () => {
    const host = await startHost((command) => [
      '/bin/sh',
      '-c',
      'ulimit -n 300; exec "$@"',
      'sh',
      ...command,
    ]);
    expect(host.output).toMatch(
      /"the limit of open files is low: .*","limit":300,"connections":236,"wantedLimit":4160/,
    );
    const kongs = await Promise.all(Array.from({ length: 600 }, () => RpcClient.connect(socketPath)));
    const instance = await startInstance(kongs[0] as RpcClient);
    await host.says(/as many connections as open files allow/);
    // Nobody leaves without an answer.
    await Promise.all(
      kongs.map(async (kong) => {
        await logEvent(kong, instance);
        kong.close();
      }),
    );
    await sidecar.until(() => sidecar.requests === 600);
    const another = await RpcClient.connect(socketPath);
    await logEvent(another, instance);
    another.close();
  });

  it('takes the place of a socket that a dead process left, and leaves none', async () => {
    const left = createServer().listen(socketPath);
    await new Promise((listening) => left.once('listening', listening));
    const killed = await startHost();
    hosts = [];
    const worker = workerOf(killed);
    await killed.end('SIGKILL');
    left.close();
    const host = await startHost();
    const kong = await RpcClient.connect(socketPath);
    await logEvent(kong, await startInstance(kong));
    kong.close();
    expect(await host.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(readdirSync(directory)).toEqual([]);
    // The worker of the killed host saw that its parent is gone, and has left as well.
    await eventually(() => {
      expect(isRunning(worker)).toBe(false);
      return Promise.resolve();
    });
  });

  it('refuses a path at which something else is, and a directory that is not there', async () => {
    writeFileSync(socketPath, 'a file');
    const refused = new RunningProgram(process.execPath, HOST_SERVER.serve(socketPath));
    expect(await refused.ended).toEqual({ code: 2, signal: null });
    expect(refused.output).toBe(
      `gatewatch: ${socketPath} is there and is no socket: name another path, or remove it\n`,
    );
    expect(readFileSync(socketPath, 'utf8')).toBe('a file');
    const nowhere = join(directory, 'missing', 'js.sock');
    const lost = new RunningProgram(process.execPath, HOST_SERVER.serve(nowhere));
    expect(await lost.ended).toEqual({ code: 2, signal: null });
    expect(lost.output).toContain(`the socket ${nowhere} cannot be made`);
    const long = new RunningProgram(process.execPath, HOST_SERVER.serve(join(directory, 'x'.repeat(100))));
    expect(await long.ended).toEqual({ code: 2, signal: null });
    expect(long.output).toMatch(
      /the path of the socket is too long: expected at most \d+ bytes, found \S+x\n$/,
    );
  });

  it('does not write what Kong reads over what is no file', async () => {
    const refused = new RunningProgram(process.execPath, [
      ...HOST_SERVER.serve(socketPath),
      ...['--dump-to', directory],
    ]);
    expect(await refused.ended).toEqual({ code: 2, signal: null });
    expect(refused.output).toBe(
      `gatewatch: --dump-to ${directory} cannot be written: it is there and is no file\n`,
    );
    expect(existsSync(socketPath)).toBe(false);
  });

  it('writes what Kong reads into a file, whole', async () => {
    const file = join(directory, 'gatewatch.json');
    const args = [...HOST_SERVER.serve(socketPath), '--dump-to', file];
    hosts.push(new RunningProgram(process.execPath, args));
    await hosts[0]?.says(HOST_SERVER.ready);
    const announced = JSON.parse(readFileSync(file, 'utf8')) as { Name: string }[];
    expect(announced.map(({ Name }) => Name)).toEqual(['gatewatch']);
    expect(existsSync(`${file}.${hosts[0]?.pid ?? 0}`)).toBe(false);
  });
});
