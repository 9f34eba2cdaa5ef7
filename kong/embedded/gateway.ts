// The whole gateway. In: settings. Out: a running gateway that can be stopped. Order of the start: plugin servers are
// queried, the file is read, plugin servers are started, addresses are taken: no request comes before its event can go out. Order of the stop: no new connections,
// requests in flight and their events end (10 s at most), then the plugin servers.
import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnnouncedPlugin } from './announced-plugin';
import { awaitSocket } from './await-socket';
import { Balancer } from './balancer';
import { BUILT_IN_PLUGINS } from './built-in-plugins';
import { choosePlugins } from './choose-plugins';
import { DeclarativeConfigFault } from './describe-config-faults';
import type { Exchange } from './exchange';
import { createCounters, type GatewayCounters } from './gateway-counters';
import type { GatewayConfig, PluginInstance } from './kong-entities';
import { KongMetrics } from './kong-metrics';
import { listen } from './listen';
import { buildLogDocument } from './log-document';
import { LogPhase } from './log-phase';
import { createRouteMatcher } from './match-route';
import { PluginServerProcess } from './plugin-server-process';
import { createProxyListener } from './proxy-listener';
import { queryPluginServer } from './query-plugin-server';
import { readDeclarativeConfig } from './read-declarative-config';
import { SettingsFault, type GatewaySettings } from './read-settings';
import type { FrameWatcher } from './rpc-connections';
import { serveExchange } from './serve-exchange';
import { createStatusApi } from './status-api';
import { UpstreamConnections } from './try-upstream';

const DRAIN_TIMEOUT_MS = 3_000;
const SOCKET_TIMEOUT_MS = 10_000;

/** A running gateway. */
export interface Gateway {
  readonly proxyPort: number;
  /** Absent when the status API is off. */
  readonly statusPort?: number;
  readonly counters: GatewayCounters;
  /** Plugin server name to process id, of those running now. */
  readonly pluginServerPids: () => ReadonlyMap<string, number>;
  /** Ends everything; see the file's first lines. */
  readonly stop: () => Promise<void>;
}

/** Where tests listen in. */
export interface GatewayWatchers {
  readonly onFrame?: FrameWatcher;
}

/** @throws SettingsFault, DeclarativeConfigFault, PluginDumpFault, ListenFault: each with a message for the operator */
export async function startGateway(
  settings: GatewaySettings,
  log: (line: string) => void,
  watchers: GatewayWatchers = {},
): Promise<Gateway> {
  const announced = await queryAll(settings, log);
  const config = await loadConfig(settings, announced);
  for (const warning of config.warnings) log(`warning: ${warning}`);

  const counters = createCounters();
  const metrics = new KongMetrics(randomUUID());
  const balancer = new Balancer(config.upstreams);
  const upstreams = new UpstreamConnections();
  const logging = config.plugins.filter((plugin) =>
    announced.get(plugin.name)?.plugin.phases.includes('log'),
  );
  const sockets = new Map([...announced].map(([name, { socketPath }]) => [name, socketPath]));
  const logPhase = new LogPhase(sockets, logging, counters, log, watchers.onFrame);
  const parts = {
    matchRoute: createRouteMatcher(config.routes),
    plugins: config.plugins,
    balancer,
    connections: upstreams,
  };

  const onEnd = (exchange: Exchange, plugins: readonly PluginInstance[]): void => {
    counters.requestsServed += 1;
    const document = buildLogDocument(exchange);
    const prometheus = plugins.find((plugin) => plugin.name === 'prometheus');
    if (prometheus !== undefined) metrics.observe(exchange, document, prometheus.config);
    logPhase.run(
      plugins.filter((plugin) => logging.includes(plugin)),
      {
        serialized: JSON.stringify(document),
        status: exchange.response.status,
        method: exchange.request.method,
        clientIp: exchange.request.clientIp,
      },
    );
  };
  const globalPlugins = choosePlugins(config.plugins, undefined, undefined);
  const proxy = createProxyListener(
    (exchange, client) => serveExchange(exchange, client, parts),
    onEnd,
    globalPlugins,
    log,
  );
  const showsHealth = config.plugins.some((plugin) => plugin.config.upstream_health_metrics === true);
  const status = createStatusApi({
    configurationHash: config.hash,
    counters,
    connections: proxy.connections,
    metricsContentType: metrics.contentType,
    renderMetrics: async () =>
      metrics.render({
        connections: proxy.connections,
        requests: counters.requestsServed,
        eventsInProgress: logPhase.eventsInProgress,
        targets: showsHealth ? await balancer.targetStates() : [],
      }),
  });

  const processes = await startPluginServers(settings, log);
  let proxyPort: number;
  let statusPort: number | undefined;
  try {
    if (settings.statusListen !== undefined) statusPort = await listen(status, settings.statusListen);
    proxyPort = await listen(proxy.server, settings.proxyListen);
  } catch (error) {
    status.close();
    await Promise.all([...processes.values()].map((process) => process.stop()));
    throw error;
  }

  return {
    proxyPort,
    ...(statusPort === undefined ? {} : { statusPort }),
    counters,
    pluginServerPids: () =>
      new Map(
        [...processes].flatMap(([name, { pid }]) => (pid === undefined ? [] : ([[name, pid]] as const))),
      ),
    stop: async () => {
      const closed = new Promise((resolve) => proxy.server.close(resolve));
      await within(DRAIN_TIMEOUT_MS, async () => {
        await closed;
        await proxy.idle();
        await logPhase.idle();
      });
      proxy.server.closeAllConnections();
      status.close();
      status.closeAllConnections();
      logPhase.close();
      upstreams.close();
      await Promise.all([...processes.values()].map((process) => process.stop()));
    },
  };
}

interface AnnouncedAt {
  readonly plugin: AnnouncedPlugin;
  readonly socketPath: string;
}

async function queryAll(
  settings: GatewaySettings,
  log: (line: string) => void,
): Promise<ReadonlyMap<string, AnnouncedAt>> {
  const announced = new Map<string, AnnouncedAt>();
  for (const { name, queryCommand, socketPath } of settings.pluginServers) {
    if (queryCommand === undefined) {
      log(`No info query for ${name}`);
      continue;
    }
    for (const plugin of await queryPluginServer(queryCommand, settings.environment, log)) {
      if (announced.has(plugin.name)) {
        log(`Duplicate plugin name [${plugin.name}] by ${name}: the first one is used`);
        continue;
      }
      const unsupported = plugin.phases.filter((phase) => phase !== 'log');
      if (unsupported.length > 0) {
        log(
          `warning: of plugin '${plugin.name}' only the log phase is run here, not ${unsupported.join(', ')}`,
        );
      }
      announced.set(plugin.name, { plugin, socketPath });
    }
  }
  for (const name of settings.plugins) {
    if (name !== 'bundled' && !BUILT_IN_PLUGINS.has(name) && !announced.has(name)) {
      throw new SettingsFault(
        `KONG_PLUGINS: ${name} plugin is enabled but not installed: no plugin server announces it`,
      );
    }
  }
  return announced;
}

async function loadConfig(
  settings: GatewaySettings,
  announced: ReadonlyMap<string, AnnouncedAt>,
): Promise<GatewayConfig> {
  const file = settings.declarativeConfigPath;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DeclarativeConfigFault(`KONG_DECLARATIVE_CONFIG: expected a readable file, found: ${reason}`);
  }
  const schemas = new Map(BUILT_IN_PLUGINS);
  for (const [name, { plugin }] of announced) schemas.set(name, plugin.configFields);
  const enabled = new Set(settings.plugins);
  if (enabled.has('bundled')) for (const name of BUILT_IN_PLUGINS.keys()) enabled.add(name);
  const known = { schemas, enabled, environment: settings.environment };
  return readDeclarativeConfig(text, file, known, Math.floor(Date.now() / 1000));
}

async function startPluginServers(
  settings: GatewaySettings,
  log: (line: string) => void,
): Promise<ReadonlyMap<string, PluginServerProcess>> {
  const processes = new Map<string, PluginServerProcess>();
  await mkdir(settings.prefix, { recursive: true });
  for (const { name, startCommand, socketPath } of settings.pluginServers) {
    if (startCommand === undefined) {
      log(`plugin server ${name}: no start command, so it is assumed to be managed elsewhere`);
      continue;
    }
    const child = new PluginServerProcess(name, startCommand, socketPath, settings.environment, log);
    processes.set(name, child);
    child.start();
  }
  for (const { name, startCommand, socketPath } of settings.pluginServers) {
    const accepts = await awaitSocket(socketPath, startCommand === undefined ? 0 : SOCKET_TIMEOUT_MS);
    if (!accepts) log(`warning: plugin server ${name} does not accept connections on ${socketPath} yet`);
  }
  return processes;
}

/** Waits for `work`, but not longer than the limit. */
async function within(limitMs: number, work: () => Promise<void>): Promise<void> {
  const timeout = new AbortController();
  await Promise.race([work(), sleep(limitMs, undefined, { signal: timeout.signal })]);
  timeout.abort();
}
