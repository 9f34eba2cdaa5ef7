// Compiles the sources into an empty dist/: kong-pdk loads every file of dist/kong-plugin/plugins, so a file that a
// rename left behind would be loaded as a second plugin.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
rmSync(new URL('./dist', import.meta.url), { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [tsc], { stdio: 'inherit' });
process.exit(status ?? 1);
