// What a process of the built plugin loads, and when.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RunningProgram } from '../../support/running-program';

const PLUGIN = resolve(__dirname, '../../../dist/kong-plugin/plugins/gatewatch.js');

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
