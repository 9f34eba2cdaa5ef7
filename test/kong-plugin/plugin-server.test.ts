// The built plugin under the real stock plugin server and under our host, as processes, spoken to as Kong speaks to them.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PLUGIN_SCHEMA } from '../../kong-plugin/plugin-schema';
import { PLUGIN_SERVERS, startPluginServer } from '../support/plugin-servers';
import { RpcClient } from '../support/rpc-client';
import { RunningProgram } from '../support/running-program';
import { ScriptedSidecar } from '../support/scripted-sidecar';

const PROJECT = resolve(__dirname, '../..');
const LOGS = join(PROJECT, 'test/fixtures/kong/logs');

describe.each(PLUGIN_SERVERS)('the query command of $title', ({ dump }) => {
  it('prints one JSON array and ends by itself', async () => {
    const program = new RunningProgram(process.execPath, dump);
    expect(await program.ended).toEqual({ code: 0, signal: null });
    const [plugin, ...others] = JSON.parse(program.output) as Record<string, unknown>[];
    expect(others).toEqual([]);
    const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(plugin).toMatchObject({ Name: 'gatewatch', Version: version, Phases: ['log'] });
    expect(plugin?.['Schema']).toEqual({
      name: 'gatewatch',
      fields: [{ config: { type: 'record', fields: JSON.parse(JSON.stringify(PLUGIN_SCHEMA)) as unknown } }],
    });
  });
});

describe.each(PLUGIN_SERVERS)('under $title', (program) => {
  let directory: string;
  let sidecar: ScriptedSidecar;
  let server: RunningProgram;
  let kong: RpcClient;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gatewatch-plugin-server-'));
    sidecar = await ScriptedSidecar.start();
    server = await startPluginServer(program, join(directory, 'gatewatch.sock'));
    kong = await RpcClient.connect(join(directory, 'gatewatch.sock'));
  });

  afterEach(async () => {
    kong.close();
    await server.end('SIGKILL');
    await sidecar.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** With the fields that Kong adds, as recorded. */
  async function startInstance(config: Record<string, unknown> = {}): Promise<number> {
    const document = {
      sidecar_url: sidecar.url,
      flush_interval_ms: 100,
      spool_dir: directory,
      sidecar_token: null,
      error_types: [],
      ...config,
      __plugin_id: 'f0a9d5c8-7f4e-5d8a-9a1b-3c2d1e0f4a5b',
      __seq__: 1,
      __key__: 'plugins:gatewatch:::::',
      __ws_id: '0dc6f45b-8f8d-40d2-a504-473544ee190b',
    };
    const started = await kong.call('StartInstance', { Name: 'gatewatch', Config: JSON.stringify(document) });
    return (started as { Id: number }).Id;
  }

  /** One event; gives the PDK calls that the plugin made. */
  async function handleEvent(instanceId: number, log: unknown, step = 'Step'): Promise<string[]> {
    const calls: string[] = [];
    let answer = (await kong.call('HandleEvent', { InstanceId: instanceId, EventName: 'log' })) as {
      Data: { Method?: string } | string;
      EventId: number;
    };
    while (typeof answer.Data === 'object') {
      calls.push(answer.Data.Method ?? '');
      answer = (await kong.call(step, { EventId: answer.EventId, Data: log })) as typeof answer;
    }
    expect(answer.Data).toBe('ret');
    return calls;
  }

  it('makes exactly one PDK call an event, and counts every recorded log once', async () => {
    const files = readdirSync(LOGS);
    const instance = await startInstance();
    for (const file of files) {
      expect(await handleEvent(instance, readFileSync(join(LOGS, file), 'utf8'))).toEqual([
        'kong.log.serialize',
      ]);
    }
    await sidecar.until(() => sidecar.requests === files.length);
    const statistics = sidecar.taken.map((document) => document.statistics);
    expect(statistics.reduce((sum, { events }) => sum + events, 0)).toBe(files.length);
    expect(statistics.reduce((sum, { malformedLogs }) => sum + malformedLogs, 0)).toBe(0);
  });

  it('counts an event whose log Kong could not give, or that is no document', async () => {
    const instance = await startInstance();
    await handleEvent(instance, 'no such thing', 'StepError');
    for (const log of ['', '{', '[]', 'null', null, 7, { status: 200 }]) await handleEvent(instance, log);
    await sidecar.until(() => sidecar.requests === 8);
    expect(sidecar.taken.reduce((sum, { statistics }) => sum + statistics.malformedLogs, 0)).toBe(8);
  });

  it('is one producer for all instances of one sidecar, each with its own error names', async () => {
    const log = readFileSync(join(LOGS, '500.json'), 'utf8');
    const plain = await startInstance();
    const naming = await startInstance({
      error_types: [{ service: null, status: 500, error_type: 'boom', severity: 'critical' }],
    });
    await handleEvent(plain, log);
    await handleEvent(naming, log);
    await sidecar.until(() => sidecar.requests === 2);
    expect(new Set(sidecar.taken.map(({ producer }) => producer)).size).toBe(1);
    const types = sidecar.taken.flatMap(({ intervals }) =>
      intervals.flatMap(({ deltas }) => deltas.map(({ errorType, severity }) => `${errorType} ${severity}`)),
    );
    expect(types.sort()).toEqual(['boom critical', 'upstream_server_error error']);
  });

  it('refuses a setting that it cannot use, and says which', async () => {
    await expect(startInstance({ sidecar_url: 'ftp://somewhere' })).rejects.toThrow(
      'gatewatch: sidecar_url: expected http://host:port, https://host:port or unix:/path, found something else',
    );
    await expect(startInstance({ flush_interval_ms: 5 })).rejects.toThrow(
      'gatewatch: flush_interval_ms: expected a whole number from 100 to 10000, found 5',
    );
  });

  it('brings at SIGTERM what it has, and ends', async () => {
    const instance = await startInstance({ flush_interval_ms: 10_000 });
    await sidecar.until(() => sidecar.taken.length === 1);
    for (let sent = 0; sent < 20; sent++)
      await handleEvent(instance, readFileSync(join(LOGS, '200.json'), 'utf8'));
    expect(sidecar.requests).toBe(0);
    expect(await server.end('SIGTERM')).toEqual(program.endAtSigterm);
    expect(sidecar.requests).toBe(20);
    expect(server.output).toContain('the sidecar has everything');
  });

  it('delivers once where Ctrl-C and its parent’s SIGTERM both reach it', async () => {
    const instance = await startInstance({ flush_interval_ms: 10_000 });
    await sidecar.until(() => sidecar.taken.length === 1);
    sidecar.answer({ status: 503 }, { status: 503 });
    await handleEvent(instance, readFileSync(join(LOGS, '200.json'), 'utf8'));
    process.kill(server.pid, 'SIGINT');
    await sidecar.until(() => sidecar.received.length === 2);
    await server.end('SIGTERM');
    expect(sidecar.requests).toBe(1);
    expect(server.output.match(/the sidecar has everything/g)).toHaveLength(1);
  });

  it('lives on where nobody reads what it says any more, and delivers what it has', async () => {
    const instance = await startInstance();
    await sidecar.until(() => sidecar.taken.length === 1);
    server.stopReading();
    // Each is said, and so is the end of the trouble.
    sidecar.answer({ status: 503 }, { status: 400, body: '{"fault":"not_json","message":"planted"}' });
    const log = readFileSync(join(LOGS, '200.json'), 'utf8');
    await handleEvent(instance, log);
    await sidecar.until(() => sidecar.received.length === 3);
    await handleEvent(instance, log);
    await sidecar.until(() => sidecar.requests === 1);
    await handleEvent(instance, log);
    expect(await server.end('SIGTERM')).toEqual(program.endAtSigterm);
    expect(sidecar.requests).toBe(2);
  });

  it('says at SIGTERM how many requests it leaves in its spool', async () => {
    const instance = await startInstance({ shutdown_timeout_ms: 300 });
    await sidecar.until(() => sidecar.taken.length === 1);
    sidecar.otherwise = { status: 500 };
    await handleEvent(instance, readFileSync(join(LOGS, '200.json'), 'utf8'));
    expect(await server.end('SIGTERM')).toEqual(program.endAtSigterm);
    expect(server.output).toMatch(
      /"the plugin ends; requests that could not be delivered are in its spool","requests":1/,
    );
  });
});
