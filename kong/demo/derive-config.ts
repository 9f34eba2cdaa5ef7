// In: the text of kong.yml or prometheus.yml as written for the compose network, and which `host:port` of that network
// is reached where. Out: the same document, comments and structure kept, with those addresses, and the plugin's folder, replaced,
// and with Spotlight switched on where that is wanted. Pure.
// A file that is not YAML, or an address of a known host that nothing stands for, gives a ConfigFault with its place.
import { dirname, isAbsolute, resolve } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from 'yaml';
import { UPSTREAM_PORT_COUNT } from './options';

/** The port that stands first in kong.yml for the demo upstreams. */
const WRITTEN_UPSTREAM_BASE_PORT = 9101;

/** Below a plugin of kong.yml. */
const SENTRY = ['config', 'sentry'];

/** An address map: `sidecar:9765` to `127.0.0.1:19765`. */
export type AddressMap = ReadonlyMap<string, string>;

/** A configuration file that cannot be used; the message names the file, the place and what was expected. */
export class ConfigFault extends Error {}

/** Where the names of the compose network are reached on this machine. */
export function mapAddresses(ports: {
  readonly statusPort: number;
  readonly sidecarPort: number;
  readonly upstreamBasePort: number;
}): AddressMap {
  const addresses = new Map([
    ['kong:8101', `127.0.0.1:${ports.statusPort}`],
    ['sidecar:9765', `127.0.0.1:${ports.sidecarPort}`],
  ]);
  for (let index = 0; index < UPSTREAM_PORT_COUNT; index++) {
    addresses.set(
      `demo-upstreams:${WRITTEN_UPSTREAM_BASE_PORT + index}`,
      `127.0.0.1:${ports.upstreamBasePort + index}`,
    );
  }
  return addresses;
}

/**
 * The kong.yml for this machine.
 *
 * @param file named in faults only
 * @param spoolDirectory of the plugin, in place of the one that is written
 * @throws ConfigFault
 */
export function deriveKongConfig(
  text: string,
  file: string,
  addresses: AddressMap,
  spoolDirectory: string,
): string {
  const { document, lines } = parse(text, file);
  replaceAddresses(document, lines, file, addresses);
  visit(document, {
    Pair(_key, { key, value }) {
      if (isScalar(key) && key.value === 'spool_dir' && isScalar(value)) value.value = spoolDirectory;
    },
  });
  return document.toString();
}

/**
 * The same kong.yml, in which the plugin reports to Spotlight, and every request as a trace; where Spotlight listens, the plugin
 * server learns from SENTRY_SPOTLIGHT.
 *
 * @param file named in faults only
 * @throws ConfigFault
 */
export function reportToSpotlight(text: string, file: string): string {
  const { document } = parse(text, file);
  visit(document, {
    Pair(_key, { key, value }) {
      if (!isScalar(key) || key.value !== 'plugins' || !isSeq(value)) return;
      for (const plugin of value.items) {
        if (!isMap(plugin) || plugin.get('name') !== 'gatewatch') continue;
        if (!isMap(plugin.getIn(SENTRY))) plugin.setIn(SENTRY, document.createNode({}));
        // Of every other environment a share only, as a rule.
        plugin.setIn([...SENTRY, 'environment'], 'development');
        // A `false` would win over the variable.
        plugin.setIn([...SENTRY, 'spotlight'], true);
      }
    },
  });
  return document.toString();
}

/**
 * The prometheus.yml for this machine. Alertmanager is left out, since the demo starts none; rule files keep
 * their place by absolute paths.
 *
 * @param file its absolute path, for faults and for rule files
 * @throws ConfigFault
 */
export function derivePrometheusConfig(text: string, file: string, addresses: AddressMap): string {
  const { document, lines } = parse(text, file);
  document.delete('alerting');
  const ruleFiles = document.get('rule_files');
  if (isSeq(ruleFiles)) {
    for (const rule of ruleFiles.items) {
      if (isScalar(rule) && typeof rule.value === 'string' && !isAbsolute(rule.value)) {
        rule.value = resolve(dirname(file), rule.value);
      }
    }
  }
  replaceAddresses(document, lines, file, addresses);
  return document.toString();
}

function parse(text: string, file: string): { document: Document; lines: LineCounter } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault !== undefined) {
    const { line, col } = lines.linePos(fault.pos[0]);
    throw new ConfigFault(`${file}:${line}:${col}: not valid YAML: ${fault.message}`);
  }
  if (document.contents === null)
    throw new ConfigFault(`${file}: expected a configuration, found an empty file`);
  return { document, lines };
}

function replaceAddresses(document: Document, lines: LineCounter, file: string, addresses: AddressMap): void {
  const hosts = new Set([...addresses.keys()].map((address) => address.slice(0, address.indexOf(':'))));
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'string') return;
      node.value = node.value.replace(/([A-Za-z0-9.-]+):(\d+)/g, (address, host: string) => {
        const here = addresses.get(address);
        if (here === undefined && hosts.has(host)) {
          const { line, col } = lines.linePos(node.range?.[0] ?? 0);
          const known = [...addresses.keys()].filter((candidate) => candidate.startsWith(`${host}:`));
          throw new ConfigFault(
            `${file}:${line}:${col}: expected ${known.join(', ')} for ${host}, found ${address}: the demo would not know where that is`,
          );
        }
        return here ?? address;
      });
    },
  });
}
