// The embedded gateway as a program.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isRunning } from '../../support/is-running';
import { RunningProgram } from '../../support/running-program';

const MAIN = resolve(__dirname, '../../../dist/kong/embedded/main.js');
const SERVER = resolve(__dirname, '../../../node_modules/kong-pdk/bin/kong-js-pluginserver');
const RECORDING_PLUGIN = resolve(__dirname, '../../support/recording-plugin');

let directory: string;
let running: RunningProgram | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-embedded-'));
});

afterEach(async () => {
  await running?.end('SIGKILL');
  running = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function start(kongYml: string, environment: Record<string, string> = {}): RunningProgram {
  const file = join(directory, 'kong.yml');
  writeFileSync(file, kongYml);
  const serve = `${process.execPath} ${SERVER} --plugins-directory ${RECORDING_PLUGIN}`;
  return (running = new RunningProgram(process.execPath, [MAIN], {
    KONG_DECLARATIVE_CONFIG: file,
    KONG_PREFIX: join(directory, 'kong'),
    KONG_PROXY_LISTEN: '127.0.0.1:0',
    KONG_STATUS_LISTEN: '127.0.0.1:0',
    KONG_PLUGINS: 'bundled,recorder',
    KONG_PLUGINSERVER_NAMES: 'js',
    KONG_PLUGINSERVER_JS_SOCKET: join(directory, 'js.sock'),
    KONG_PLUGINSERVER_JS_START_CMD: `${serve} -p ${directory} --sock-name js.sock`,
    KONG_PLUGINSERVER_JS_QUERY_CMD: `${serve} --dump-all-plugins`,
    ...environment,
  }));
}

const EMPTY = "_format_version: '3.0'\n";

function pluginServerPid(program: RunningProgram): number {
  return Number(/\[js:(\d+)\]/.exec(program.output)?.[1]);
}

describe('the embedded gateway as a program', () => {
  it('says that it is a stand-in and where it listens, and SIGTERM leaves no process and no socket', async () => {
    const program = start(EMPTY);
    const [, proxy = ''] = await program.says(
      /^ready: proxy (http:\/\/127\.0\.0\.1:\d+) status http:\/\/127\.0\.0\.1:\d+$/m,
    );
    expect(program.output).toContain(
      "this is Gatewatch's embedded stand-in for Kong, for first runs and tests. It is not Kong.",
    );
    expect((await fetch(proxy)).status).toBe(404);
    const pid = pluginServerPid(program);
    expect(isRunning(pid)).toBe(true);
    expect(await program.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(join(directory, 'js.sock'))).toBe(false);
  });

  it('ends with 1 and names the variable of a port that is taken, and leaves no plugin server', async () => {
    const holder = createServer();
    await new Promise<void>((tell) => holder.listen(0, '127.0.0.1', tell));
    const { port } = holder.address() as AddressInfo;
    const program = start(EMPTY, { KONG_PROXY_LISTEN: `127.0.0.1:${port}` });
    expect((await program.ended).code).toBe(1);
    expect(program.output).toMatch(new RegExp(`KONG_PROXY_LISTEN.*${port}|${port}.*KONG_PROXY_LISTEN`));
    expect(isRunning(pluginServerPid(program))).toBe(false);
    await new Promise((tell) => holder.close(tell));
  });

  it('ends with 1 and every fault for a kong.yml that it cannot use, and for a file that is not there', async () => {
    const program = start(`${EMPTY}services: [{ port: x, colour: 1 }]\n`);
    expect((await program.ended).code).toBe(1);
    expect(program.output).toContain('expected an integer');
    expect(program.output).toContain('unknown field');
    const missing = start(EMPTY, { KONG_DECLARATIVE_CONFIG: join(directory, 'nowhere.yml') });
    expect((await missing.ended).code).toBe(1);
    expect(missing.output).toContain('KONG_DECLARATIVE_CONFIG: expected a readable file');
  });

  it('names every variable that is wrong', async () => {
    const program = start(EMPTY, { KONG_PROXY_LISTEN: 'here', KONG_STATUS_LISTEN: 'there' });
    expect((await program.ended).code).toBe(1);
    expect(program.output).toContain(
      'KONG_PROXY_LISTEN: expected an address such as 127.0.0.1:8000, found "here"',
    );
    expect(program.output).toContain('KONG_STATUS_LISTEN: expected an address');
  });
});
