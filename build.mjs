// Compiles the sources into an empty folder, which then takes the place of dist/: kong-pdk loads every file of
// dist/kong-plugin/plugins, so a file that a rename left behind would be loaded as a second plugin. Whatever runs from the old
// dist/ finds its files up to that moment, and the new ones from then on; a build that fails leaves them alone. What the sources read
// from beside themselves comes along.
import { spawnSync } from 'node:child_process';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const [dist, fresh, old] = ['dist', `dist.new.${process.pid}`, `dist.old.${process.pid}`].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
);
/** Folders of files that are no TypeScript. */
const READ_AT_RUN_TIME = ['sidecar/channel/webhook/templates'];

const { status } = spawnSync(process.execPath, [tsc, '--outDir', fresh], { stdio: 'inherit' });
if (status === 0) {
  for (const folder of READ_AT_RUN_TIME)
    cpSync(fileURLToPath(new URL(folder, import.meta.url)), `${fresh}/${folder}`, { recursive: true });
  try {
    renameSync(dist, old);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  renameSync(fresh, dist);
}
for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
process.exit(status ?? 1);
