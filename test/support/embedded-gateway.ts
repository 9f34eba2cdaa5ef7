// The embedded gateway in this process, with a kong.yml of the test. With `recording`, the stock plugin server runs the
// recording plugin, which writes each log document as a line.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startGateway, type Gateway } from '../../kong/embedded/gateway';
import { readSettings } from '../../kong/embedded/read-settings';
import type { FrameWatcher } from '../../kong/embedded/rpc-connections';

const PLUGIN_SERVER = resolve(__dirname, '../../node_modules/kong-pdk/bin/kong-js-pluginserver');
const RECORDING_PLUGIN = resolve(__dirname, 'recording-plugin');

export interface TestGatewayOptions {
  readonly recording?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly onFrame?: FrameWatcher;
}

export interface TestGateway extends Gateway {
  readonly proxyUrl: string;
  readonly statusUrl: string;
  readonly directory: string;
  /** What the gateway said, one entry a line. */
  readonly lines: readonly string[];
  /** The documents in the recording plugin's file. */
  recorded(): Record<string, unknown>[];
}

/** The recording plugin for a kong.yml, writing to a file of the gateway's directory. */
export function recorderEntry(directory: string, file = 'logs.jsonl'): string {
  return `{ name: recorder, config: { file: '${join(directory, file)}' } }`;
}

/** @param kongYml gets the gateway's directory */
export async function startTestGateway(
  kongYml: (directory: string) => string,
  { recording = false, environment = {}, onFrame }: TestGatewayOptions = {},
): Promise<TestGateway> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewatch-gateway-'));
  const file = join(directory, 'kong.yml');
  writeFileSync(file, `_format_version: '3.0'\n${kongYml(directory)}`);
  const serve = `${process.execPath} ${PLUGIN_SERVER} --plugins-directory ${RECORDING_PLUGIN}`;
  const settings = readSettings({
    KONG_DECLARATIVE_CONFIG: file,
    KONG_PREFIX: join(directory, 'kong'),
    KONG_PROXY_LISTEN: '127.0.0.1:0',
    KONG_STATUS_LISTEN: '127.0.0.1:0',
    ...(recording
      ? {
          KONG_PLUGINS: 'bundled,recorder',
          KONG_PLUGINSERVER_NAMES: 'js',
          KONG_PLUGINSERVER_JS_SOCKET: join(directory, 'js.sock'),
          KONG_PLUGINSERVER_JS_START_CMD: `${serve} -p ${directory} --sock-name js.sock`,
          KONG_PLUGINSERVER_JS_QUERY_CMD: `${serve} --dump-all-plugins`,
        }
      : {}),
    ...environment,
  });
  const lines: string[] = [];
  try {
    const gateway = await startGateway(settings, (line) => lines.push(line), onFrame ? { onFrame } : {});
    return {
      ...gateway,
      proxyUrl: `http://127.0.0.1:${gateway.proxyPort}`,
      statusUrl: `http://127.0.0.1:${gateway.statusPort ?? 0}`,
      directory,
      lines,
      recorded: () => {
        const log = join(directory, 'logs.jsonl');
        const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
        return text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Record<string, unknown>);
      },
      stop: async () => {
        await gateway.stop();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}
