// Everything between a client and a scrape, as real processes: the demo's upstreams, the embedded gateway with a
// plugin server and the built plugin, and the built sidecar, all on 127.0.0.1.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { deriveKongConfig, mapAddresses } from '../../kong/demo/derive-config';
import { UPSTREAM_NAMES, startDemoUpstreams, type DemoUpstreams } from '../../kong/demo/upstreams';
import { findFreePorts } from './free-ports';
import { HOST_SERVER, type PluginServerProgram } from './plugin-servers';
import { RunningProgram } from './running-program';
import { parseSamples, type ScrapedSample } from './samples';

const PROJECT = resolve(__dirname, '..', '..');
const DIST = join(PROJECT, 'dist');
export const TOKEN = 'a-token-for-tests-only';

export interface StackOptions {
  /** The text of gatewatch.yml; address, token and directory come from the environment, and ${KONG_STATUS_URL} is Kong's. */
  readonly sidecarConfig?: string;
  /** Beside those. */
  readonly sidecarEnvironment?: Readonly<Record<string, string>>;
  /** Changes the text of kong/kong.yml before its hosts are replaced. */
  readonly changeKongConfig?: (text: string) => string;
  /** What runs the plugin; the host if it is not said. */
  readonly pluginServer?: PluginServerProgram;
}

export interface Stack {
  readonly directory: string;
  readonly proxyUrl: string;
  readonly statusUrl: string;
  readonly sidecarUrl: string;
  readonly sidecarConfigFile: string;
  readonly upstreams: DemoUpstreams;
  /** Of the demo's service `refusing`: nothing listens there. */
  readonly refusingAddress: string;
  readonly gateway: RunningProgram;
  readonly sidecar: RunningProgram;
  /** Ends the sidecar and starts it again, on the same address and data. */
  restartSidecar(signal: NodeJS.Signals): Promise<void>;
  /** Starts the gateway again, once it has ended. */
  startGateway(): Promise<void>;
  /** The sidecar's metrics now. */
  scrape(): Promise<ScrapedSample[]>;
  /** The gateway first, which delivers what the plugin still has; whatever has ended already is no fault. */
  stop(): Promise<void>;
}

export async function startStack({
  sidecarConfig = '',
  sidecarEnvironment = {},
  changeKongConfig,
  pluginServer = HOST_SERVER,
}: StackOptions = {}): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewatch-stack-'));
  const basePort = await findFreePorts(9);
  const [proxyPort, statusPort, sidecarPort] = [basePort + 6, basePort + 7, basePort + 8];
  const ports = { statusPort, sidecarPort, upstreamBasePort: basePort };
  const upstreams = await startDemoUpstreams('127.0.0.1', basePort);

  const kongFile = join(PROJECT, 'kong', 'kong.yml');
  const kongText = readFileSync(kongFile, 'utf8');
  const kongConfig = join(directory, 'kong.yml');
  writeFileSync(
    kongConfig,
    deriveKongConfig(
      changeKongConfig?.(kongText) ?? kongText,
      kongFile,
      mapAddresses(ports),
      join(directory, 'spool'),
    ),
  );
  const sidecarConfigFile = join(directory, 'gatewatch.yml');
  writeFileSync(
    sidecarConfigFile,
    `listen: \${GATEWATCH_LISTEN}\ntoken: \${GATEWATCH_TOKEN}\ndata_dir: \${GATEWATCH_DATA_DIR}\n${sidecarConfig}`,
  );

  const statusUrl = `http://127.0.0.1:${statusPort}`;
  const startSidecar = async (): Promise<RunningProgram> => {
    const started = new RunningProgram(
      process.execPath,
      [join(DIST, 'sidecar', 'main.js'), '--config', sidecarConfigFile],
      {
        GATEWATCH_LISTEN: `127.0.0.1:${sidecarPort}`,
        GATEWATCH_TOKEN: TOKEN,
        GATEWATCH_DATA_DIR: join(directory, 'data'),
        KONG_STATUS_URL: statusUrl,
        ...sidecarEnvironment,
      },
    );
    await started.says(/sidecar listens/);
    return started;
  };
  let sidecar = await startSidecar();

  const socket = join(directory, 'gatewatch.sock');
  const command = (args: readonly string[]): string => [process.execPath, ...args].join(' ');
  const startGateway = async (): Promise<RunningProgram> => {
    const started = new RunningProgram(process.execPath, [join(DIST, 'kong', 'embedded', 'main.js')], {
      KONG_DECLARATIVE_CONFIG: kongConfig,
      KONG_PREFIX: join(directory, 'kong'),
      KONG_PROXY_LISTEN: `127.0.0.1:${proxyPort}`,
      KONG_STATUS_LISTEN: `127.0.0.1:${statusPort}`,
      KONG_PLUGINS: 'bundled,gatewatch',
      KONG_PLUGINSERVER_NAMES: 'js',
      KONG_PLUGINSERVER_JS_SOCKET: socket,
      KONG_PLUGINSERVER_JS_START_CMD: command(pluginServer.serve(socket)),
      KONG_PLUGINSERVER_JS_QUERY_CMD: command(pluginServer.dump),
      GATEWATCH_TOKEN: TOKEN,
    });
    await started.says(/^ready:/m);
    return started;
  };
  let gateway = await startGateway();

  const sidecarUrl = `http://127.0.0.1:${sidecarPort}`;
  return {
    directory,
    proxyUrl: `http://127.0.0.1:${proxyPort}`,
    statusUrl,
    sidecarUrl,
    sidecarConfigFile,
    upstreams,
    refusingAddress: `127.0.0.1:${basePort + UPSTREAM_NAMES.indexOf('refusing')}`,
    get gateway() {
      return gateway;
    },
    get sidecar() {
      return sidecar;
    },
    restartSidecar: async (signal) => {
      await sidecar.end(signal);
      sidecar = await startSidecar();
    },
    startGateway: async () => {
      gateway = await startGateway();
    },
    scrape: async () => parseSamples(await (await fetch(`${sidecarUrl}/metrics`)).text()),
    stop: async () => {
      await gateway.end();
      await sidecar.end();
      await upstreams.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
