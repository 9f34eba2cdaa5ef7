// The embedded gateway in this process, with the built plugin under one of the plugin servers, in front of one upstream.
import { join } from 'node:path';
import { startTestGateway, type TestGateway } from './embedded-gateway';
import type { PluginServerProgram } from './plugin-servers';

export interface PluginGatewayOptions {
  readonly program: PluginServerProgram;
  readonly sidecarUrl: string;
  /** On 127.0.0.1. */
  readonly upstreamPort: number;
}

export function startPluginGateway({
  program: { serve, dump },
  sidecarUrl,
  upstreamPort,
}: PluginGatewayOptions): Promise<TestGateway> {
  const command = (args: readonly string[]): string => [process.execPath, ...args].join(' ');
  // Its directory is known to the configuration only.
  const environment: Record<string, string> = {
    KONG_PLUGINS: 'bundled,gatewatch',
    KONG_PLUGINSERVER_NAMES: 'js',
    KONG_PLUGINSERVER_JS_QUERY_CMD: command(dump),
  };
  return startTestGateway(
    (directory) => {
      const socket = join(directory, 'js.sock');
      environment['KONG_PLUGINSERVER_JS_SOCKET'] = socket;
      environment['KONG_PLUGINSERVER_JS_START_CMD'] = command(serve(socket));
      return [
        `services: [{ name: orders, url: "http://127.0.0.1:${upstreamPort}", routes: [{ name: orders, paths: [/] }] }]`,
        `plugins: [{ name: gatewatch, config: { sidecar_url: "${sidecarUrl}", spool_dir: "${join(directory, 'spool')}" } }]`,
      ].join('\n');
    },
    { environment },
  );
}
