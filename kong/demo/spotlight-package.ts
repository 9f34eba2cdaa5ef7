// Where Spotlight's npm package is, and the files of its page. The package can only be imported, not resolved, from here, so it
// is looked for in the folders in which Node would look. `overrides` in package.json keeps hono, which it runs on, at the version
// that it was made with: on 4.13, which the package allows, it answers every request with 500.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const NAME = '@spotlightjs/spotlight';
const PAGE = join('dist', 'ui');
/** What reports the use of the page, with recordings of the screen, to those who make Spotlight. */
const TELEMETRY = 'assets/instrumentation.js';
const NO_TELEMETRY = 'export default () => undefined;\n';

export const SPOTLIGHT_MISSING = `--spotlight: the package ${NAME} is not installed. It is one of the development dependencies: \`npm ci\` installs them, \`npm ci --omit=dev\` does not.`;

/** The folder of the package, where it is installed. */
export function findSpotlight(): string | undefined {
  const folders = createRequire(__filename).resolve.paths(NAME) ?? [];
  return folders.map((folder) => join(folder, NAME)).find((folder) => existsSync(join(folder, PAGE)));
}

/**
 * The files of the page by their paths, as Spotlight's own program serves them, without the telemetry.
 *
 * @param folder of the package
 * @throws Error if the package has not the files that it is known to have
 */
export function readSpotlightPage(folder: string): Record<string, Buffer> {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, PAGE, 'manifest.json'), 'utf8'));
  const listed = Object.values(manifest as Record<string, { file?: unknown }>).map(({ file }) => file);
  const names = ['index.html', ...listed.filter((file) => typeof file === 'string')];
  if (!names.includes(TELEMETRY)) {
    throw new Error(
      `${folder}: expected ${TELEMETRY} among the files of the page, to leave it out; found none`,
    );
  }
  const read = (name: string): Buffer =>
    name === TELEMETRY ? Buffer.from(NO_TELEMETRY) : readFileSync(join(folder, PAGE, name));
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}
