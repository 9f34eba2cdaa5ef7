// In: Kong's environment variables. Out: the gateway's settings, or one error that names every variable at fault.
// Only what this gateway uses is read; the same environment starts a real Kong. Pure.

/** Where something listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** The variable that sets it, for messages. */
  readonly variable: string;
}

/** One plugin server of KONG_PLUGINSERVER_NAMES. */
export interface PluginServerSettings {
  readonly name: string;
  readonly socketPath: string;
  /** Absent: somebody else runs it. */
  readonly startCommand?: string;
  /** Absent: it announces nothing. */
  readonly queryCommand?: string;
}

/** All that the environment says. */
export interface GatewaySettings {
  readonly declarativeConfigPath: string;
  readonly proxyListen: ListenAddress;
  /** Absent: `off`. */
  readonly statusListen?: ListenAddress;
  readonly prefix: string;
  readonly plugins: ReadonlySet<string>;
  readonly pluginServers: readonly PluginServerSettings[];
  /** For `{vault://env/...}`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A setting that cannot be used. */
export class SettingsFault extends Error {}

/** @throws SettingsFault */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): GatewaySettings {
  const faults: string[] = [];
  const text = (variable: string): string | undefined => {
    const value = environment[variable]?.trim();
    return value === undefined || value === '' ? undefined : value;
  };
  const declarativeConfigPath = text('KONG_DECLARATIVE_CONFIG');
  if (declarativeConfigPath === undefined) {
    faults.push('KONG_DECLARATIVE_CONFIG: expected the path of a kong.yml, found nothing');
  }
  const proxyListen = listenAddress(
    'KONG_PROXY_LISTEN',
    text('KONG_PROXY_LISTEN') ?? '127.0.0.1:8000',
    faults,
  );
  const statusText = text('KONG_STATUS_LISTEN') ?? 'off';
  const statusListen =
    statusText === 'off' ? undefined : listenAddress('KONG_STATUS_LISTEN', statusText, faults);
  const prefix = text('KONG_PREFIX') ?? '/usr/local/kong';
  const pluginServers = listOf(text('KONG_PLUGINSERVER_NAMES')).map((name): PluginServerSettings => {
    const stem = `KONG_PLUGINSERVER_${name.toUpperCase().replaceAll('-', '_')}`;
    const startCommand = text(`${stem}_START_CMD`);
    const queryCommand = text(`${stem}_QUERY_CMD`);
    return {
      name: name.toLowerCase(),
      socketPath: text(`${stem}_SOCKET`) ?? `${prefix}/${name.toLowerCase()}.socket`,
      ...(startCommand === undefined ? {} : { startCommand }),
      ...(queryCommand === undefined ? {} : { queryCommand }),
    };
  });
  if (faults.length > 0 || declarativeConfigPath === undefined || proxyListen === undefined) {
    throw new SettingsFault(faults.join('\n'));
  }
  return {
    declarativeConfigPath,
    proxyListen,
    ...(statusListen === undefined ? {} : { statusListen }),
    prefix,
    plugins: new Set(listOf(text('KONG_PLUGINS') ?? 'bundled')),
    pluginServers,
    environment,
  };
}

function listOf(value: string | undefined): string[] {
  const names = (value ?? '').split(',').map((name) => name.trim());
  return names.filter((name) => name !== '' && name !== 'off');
}

/** The first plain address of a list such as `0.0.0.0:8000 reuseport, 0.0.0.0:8443 ssl`. */
function listenAddress(variable: string, value: string, faults: string[]): ListenAddress | undefined {
  const entries = value.split(',').map((entry) => entry.trim());
  const plain = entries.find((entry) => !/\s(ssl|http2)\b/.test(entry)) ?? '';
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})(?:\s|$)/.exec(plain);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65_535)) {
    faults.push(`${variable}: expected an address such as 127.0.0.1:8000, found ${JSON.stringify(value)}`);
    return undefined;
  }
  return { host, port, variable };
}
