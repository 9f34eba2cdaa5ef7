// The host as a process with another plugin than ours: what a plugin does wrong ends neither the host nor Kong's event.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LiveMemory } from '../../support/live-memory';
import { HOST_SERVER } from '../../support/plugin-servers';
import { RpcClient } from '../../support/rpc-client';
import { RunningProgram } from '../../support/running-program';

const PROJECT = resolve(__dirname, '../../..');

let directory: string;
let host: RunningProgram;
let kong: RpcClient;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-failing-plugin-'));
});

afterEach(async () => {
  kong.close();
  await host.end('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** A copy of the built host beside another plugin, with an instance of it. @param body of the plugin's class; @param wrap its command */
async function startHostWith(
  body: string,
  wrap = (command: readonly string[]): readonly string[] => command,
): Promise<number> {
  const built = join(directory, 'dist/kong-plugin');
  cpSync(join(PROJECT, 'dist/kong-plugin'), built, { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(directory, 'node_modules'));
  rmSync(join(built, 'plugins'), { recursive: true });
  mkdirSync(join(built, 'plugins'));
  writeFileSync(
    join(built, 'plugins/other.cjs'),
    `const { appendFileSync } = require('node:fs');
    class Plugin {
      constructor({ file }) { this.file = file; }
      take(text) { appendFileSync(this.file, text + '\\n'); }
      ${body}
    }
    module.exports = { Plugin, Name: 'other', Version: '1.0.0', Priority: 1, Schema: [{ file: { type: 'string' } }] };`,
  );
  const socket = join(directory, 'js.sock');
  const main = join(built, 'host/main.js');
  const [program = '', ...args] = wrap([process.execPath, main, 'plugin-server', '--socket', socket]);
  host = new RunningProgram(program, args);
  await host.says(HOST_SERVER.ready);
  kong = await RpcClient.connect(socket);
  const config = JSON.stringify({ file: join(directory, 'taken') });
  return ((await kong.call('StartInstance', { Name: 'other', Config: config })) as { Id: number }).Id;
}

async function logEvent(instance: number, log: unknown): Promise<unknown> {
  await kong.call('HandleEvent', { InstanceId: instance, EventName: 'log' });
  return kong.call('Step', { EventId: instance, Data: log });
}

function taken(): string[] {
  const file = join(directory, 'taken');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

describe('the plugin host with a plugin that fails', () => {
  it('gives it an event again without its log where it throws at the log, and ends the event', async () => {
    const instance = await startHostWith(`
      async log() {}
      takeLog(log) {
        if (String(log) === 'odd') throw new Error('it is odd');
        this.take(String(log));
      }`);
    const worker = HOST_SERVER.holderOf(host.pid);
    for (const log of ['first', 'odd', 'last'])
      expect(await logEvent(instance, log)).toEqual({ Data: 'ret', EventId: instance });
    expect(taken()).toEqual(['first', 'undefined', 'last']);
    await host.says(/"the plugin failed at an event","reason":"it is odd","withLog":true/);
    expect(HOST_SERVER.holderOf(host.pid)).toBe(worker);
  });

  it('asks it no more than twice where it always throws', async () => {
    const instance = await startHostWith(`
      async log() {}
      takeLog(log) {
        this.take(String(log));
        throw new Error('it never works');
      }`);
    expect(await logEvent(instance, 'one')).toEqual({ Data: 'ret', EventId: instance });
    await kong.call('HandleEvent', { InstanceId: instance, EventName: 'log' });
    expect(await kong.call('StepError', { EventId: instance, Data: 'Kong could not' })).toEqual({
      Data: 'ret',
      EventId: instance,
    });
    expect(taken()).toEqual(['one', 'undefined', 'undefined']);
    // What it says comes another way than its answers.
    await host.says(/(the plugin failed at an event[^]*){3}/);
    expect(host.output.match(/the plugin failed at an event/g)).toHaveLength(3);
  });

  it('ends the events of one whose log phase asks Kong for nothing, and keeps nothing of them', async () => {
    // The stock server keeps an entry for each such event for ever.
    const memory = new LiveMemory();
    const instance = await startHostWith('log() {} takeLog() {}', memory.wrap);
    const worker = HOST_SERVER.holderOf(host.pid);
    const run = async (events: number): Promise<void> => {
      for (let event = 0; event < events; event++)
        expect(await logEvent(instance, 'x')).toEqual({ Data: 'ret', EventId: instance });
    };
    await run(2_000);
    const before = await memory.readMb(worker);
    await run(10_000);
    // 200 bytes for each would be more.
    expect((await memory.readMb(worker)) - before).toBeLessThan(2);
    memory.remove();
  });

  it('ends the events of one that only the stock server could run, and says so', async () => {
    const instance = await startHostWith('async log() {}');
    expect(await logEvent(instance, 'x')).toEqual({ Data: 'ret', EventId: instance });
    await host.says(/"the plugin failed at an event","reason":"plugin.takeLog is not a function"/);
  });
});
