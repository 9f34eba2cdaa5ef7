// Imports point to where the data came from: nothing imports a later step, and only each program's main joins the steps.
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

const PROJECT = resolve(__dirname, '..');

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isPackage: boolean;
}

function importsOf(folder: string): Import[] {
  const files = readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const from = join(folder, file);
      const text = readFileSync(join(PROJECT, from), 'utf8');
      return [...text.matchAll(/^(?:import|export) [^;]*?from '([^']+)'/gms)].map(([, to = '']) =>
        to.startsWith('.')
          ? { from, to: relative(PROJECT, resolve(PROJECT, dirname(from), to)), isPackage: false }
          : { from, to, isPackage: true },
      );
    })
    .filter(({ to }) => !to.startsWith('node:') && !builtinModules.includes(to));
}

/** The steps of the sidecar, in the order in which the data flows. A file may import from its own step and earlier ones. */
const SIDECAR_STEPS = [
  'clock',
  'error-code',
  'config',
  'sentry',
  'memory',
  'ingest',
  'ledger',
  'window',
  'kong',
  'rule',
  'alert',
  'route',
  'engine',
  'engine-settings',
  'notify',
  'channel',
  'outbox',
  'alerting',
  'exposition',
  'ui',
  'http',
  'replay',
  'cli',
  'sidecar',
  'main',
];

function stepOf(path: string): number {
  const name = path.split('/')[1]?.replace(/\.ts$/, '') ?? '';
  const step = SIDECAR_STEPS.indexOf(name);
  if (step < 0) throw new Error(`${path} is in no step`);
  return step;
}

describe('the plugin', () => {
  const imports = importsOf('kong-plugin');

  it('knows nothing of the sidecar and the gateway', () => {
    expect(imports.length).toBeGreaterThan(20);
    expect(imports.filter(({ to, isPackage }) => !isPackage && !to.startsWith('kong-plugin/'))).toEqual([]);
  });

  it('needs no package but those that send, spool and report to Sentry, and its host those of the protocol', () => {
    const packages = (isHost: boolean): string[] => {
      const own = imports.filter(
        ({ from, isPackage }) => isPackage && from.startsWith('kong-plugin/host/') === isHost,
      );
      return [...new Set(own.map(({ to }) => to))].sort();
    };
    expect(packages(false)).toEqual([
      '@msgpack/msgpack',
      '@sentry/core',
      '@sentry/node',
      '@sentry/profiling-node',
      'undici',
    ]);
    expect(packages(true)).toEqual(['@msgpack/msgpack', 'kong-pdk/server']);
  });

  it('owns a contract that needs nothing', () => {
    const own = imports.filter(({ from }) => from.startsWith('kong-plugin/contract/'));
    expect(own.length).toBeGreaterThan(3);
    expect(own.filter(({ to }) => !to.startsWith('kong-plugin/contract/'))).toEqual([]);
  });
});

describe('the sidecar', () => {
  const all = importsOf('sidecar');
  const imports = all.filter(({ isPackage }) => !isPackage);

  it('knows of the plugin only its contract, and how both set up the SDK of Sentry', () => {
    const others = imports.filter(({ to }) => !to.startsWith('sidecar/'));
    expect(others.length).toBeGreaterThan(10);
    const shared = /^kong-plugin\/(?:contract|sentry\/sdk)\//;
    expect(others.filter(({ to }) => !shared.test(to))).toEqual([]);
  });

  it('has the SDK of Sentry in one place, which is loaded only where it is wanted', () => {
    const sdk = all.filter(({ to }) => to.startsWith('@sentry/'));
    expect(sdk.length).toBeGreaterThan(3);
    expect(sdk.filter(({ from }) => !from.startsWith('sidecar/sentry/'))).toEqual([]);
  });

  it('has no step that imports a later one', () => {
    const own = imports.filter(({ to }) => to.startsWith('sidecar/'));
    expect(own.length).toBeGreaterThan(50);
    expect(own.filter(({ from, to }) => stepOf(to) > stepOf(from))).toEqual([]);
  });
});

describe('the gateway that stands in for Kong', () => {
  it('knows neither the plugin nor the sidecar, and the launcher only starts them', () => {
    const imports = importsOf('kong').filter(({ isPackage }) => !isPackage);
    expect(imports.length).toBeGreaterThan(50);
    expect(imports.filter(({ to }) => !to.startsWith('kong/'))).toEqual([]);
    const embedded = imports.filter(({ from }) => from.startsWith('kong/embedded/'));
    expect(embedded.filter(({ to }) => !to.startsWith('kong/embedded/'))).toEqual([]);
  });
});
