// What a process of the built plugin loads, and when; and what becomes of its profile when its configuration changes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EnvelopeServer } from '../../support/envelope-server';
import { RunningProgram } from '../../support/running-program';

const PLUGIN = resolve(__dirname, '../../../dist/kong-plugin/plugins/gatewatch.js');

const REGISTRY = resolve(__dirname, '../../../dist/kong-plugin/sentry/reporter-registry.js');
const SETTINGS = resolve(__dirname, '../../../dist/kong-plugin/sentry/settings/read-sentry-settings.js');

/** How many files of Sentry's packages a process has loaded that made an instance of this configuration. */
async function loadedFiles(config: Readonly<Record<string, unknown>> | undefined): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewatch-registry-'));
  const make =
    config === undefined ? '' : `new Plugin(${JSON.stringify({ ...config, spool_dir: directory })});`;
  const script = `const { Plugin } = require(${JSON.stringify(PLUGIN)}); ${make}
    const loaded = Object.keys(require.cache).filter((file) => file.includes('/@sentry/')).length;
    process.stdout.write('loaded ' + loaded + '.', () => process.exit());`;
  const program = new RunningProgram(process.execPath, ['-e', script]);
  try {
    const [, count = ''] = await program.says(/loaded (\d+)\./);
    await program.ended;
    return Number(count);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('the packages of Sentry', () => {
  it('are not loaded by the plugin itself, as Kong’s query command has it', async () => {
    expect(await loadedFiles(undefined)).toBe(0);
  });

  it('are not loaded by an instance that does not report', async () => {
    expect(await loadedFiles({ sentry: { dsn: '' } })).toBe(0);
  });

  it('are loaded by the first instance that reports', async () => {
    expect(await loadedFiles({ sentry: { dsn: 'https://abc@sentry.invalid/1' } })).toBeGreaterThan(100);
  });
});

describe('the profile of a process', () => {
  it('goes on in the reporter of the newer configuration when the older one ends', async () => {
    const sentry = await EnvelopeServer.start();
    const script = `
      const { ReporterRegistry } = require(${JSON.stringify(REGISTRY)});
      const { readSentrySettings } = require(${JSON.stringify(SETTINGS)});
      const registry = new ReporterRegistry(console.error, 100);
      for (const dsn of ${JSON.stringify([sentry.dsn('1'), sentry.dsn('2')])}) {
        const sentry = { dsn, continuous_profiling_auto_start: true };
        registry.reporterFor(readSentrySettings(sentry, '1.0.0', {}), '', () => undefined);
      }
      const alive = setInterval(() => undefined, 1_000);
      process.on('SIGUSR2', () => {
        // So that there is something to see.
        for (const beganMs = Date.now(); Date.now() < beganMs + 200; );
        registry.close().then(() => clearInterval(alive));
      });`;
    const program = new RunningProgram(process.execPath, ['-e', script]);
    try {
      const profiled = (): string[] =>
        sentry.received
          .filter(({ items }) => items.some(({ type }) => type === 'profile_chunk'))
          .map(({ project }) => project);
      await sentry.until(() => profiled().length > 0);
      process.kill(program.pid, 'SIGUSR2');
      expect(await program.ended).toEqual({ code: 0, signal: null });
      expect([profiled(), sentry.faults]).toEqual([['1', '2'], []]);
    } finally {
      await sentry.close();
    }
  });
});
