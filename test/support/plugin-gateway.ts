// The embedded gateway in this process, with the built plugin under one of the plugin servers, in front of an
// upstream of its own that answers every request with 200.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startTestGateway, type TestGateway } from './embedded-gateway';
import type { PluginServerProgram } from './plugin-servers';

export interface PluginGatewayOptions {
  readonly program: PluginServerProgram;
  readonly sidecarUrl: string;
}

export async function startPluginGateway({
  program: { serve, dump },
  sidecarUrl,
}: PluginGatewayOptions): Promise<TestGateway> {
  const upstream = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const { port } = upstream.address() as AddressInfo;
  const command = (args: readonly string[]): string => [process.execPath, ...args].join(' ');
  // Its directory is known to the configuration only.
  const environment: Record<string, string> = {
    KONG_PLUGINS: 'bundled,gatewatch',
    KONG_PLUGINSERVER_NAMES: 'js',
    KONG_PLUGINSERVER_JS_QUERY_CMD: command(dump),
  };
  const gateway = await startTestGateway(
    (directory) => {
      const socket = join(directory, 'js.sock');
      environment['KONG_PLUGINSERVER_JS_SOCKET'] = socket;
      environment['KONG_PLUGINSERVER_JS_START_CMD'] = command(serve(socket));
      return [
        `services: [{ name: orders, url: "http://127.0.0.1:${port}", routes: [{ name: orders, paths: [/] }] }]`,
        `plugins: [{ name: gatewatch, config: { sidecar_url: "${sidecarUrl}", spool_dir: "${join(directory, 'spool')}" } }]`,
      ].join('\n');
    },
    { environment },
  );
  return {
    ...gateway,
    stop: async () => {
      await gateway.stop();
      upstream.closeAllConnections();
      upstream.close();
    },
  };
}
