// In: the folder of this compiled file, <project>/dist/kong/demo. Out: the absolute paths of everything the demo starts
// or reads. A file that is missing is named by `findMissingFiles`, with what to do.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Absolute paths of the programs and configuration files of the project. */
export interface ProjectLayout {
  readonly projectRoot: string;
  readonly gatewayProgram: string;
  readonly sidecarProgram: string;
  readonly upstreamsProgram: string;
  readonly spotlightProgram: string;
  readonly pluginServerProgram: string;
  readonly kongConfig: string;
  readonly sidecarConfig: string;
  readonly prometheusConfig: string;
}

/** @param demoFolder the folder of the compiled demo, three levels below the project */
export function findProjectLayout(demoFolder: string): ProjectLayout {
  const built = resolve(demoFolder, '..', '..');
  const projectRoot = resolve(built, '..');
  return {
    projectRoot,
    gatewayProgram: join(built, 'kong', 'embedded', 'main.js'),
    sidecarProgram: join(built, 'sidecar', 'main.js'),
    upstreamsProgram: join(built, 'kong', 'demo', 'upstreams-main.js'),
    spotlightProgram: join(built, 'kong', 'demo', 'spotlight-main.js'),
    pluginServerProgram: join(built, 'kong-plugin', 'host', 'main.js'),
    kongConfig: join(projectRoot, 'kong', 'kong.yml'),
    sidecarConfig: join(projectRoot, 'sidecar', 'gatewatch.yml'),
    prometheusConfig: join(projectRoot, 'prometheus', 'prometheus.yml'),
  };
}

/** A sentence for each file of the layout that is not there. */
export function findMissingFiles(layout: ProjectLayout): string[] {
  return Object.values<string>({ ...layout })
    .filter((path) => !existsSync(path))
    .map(
      (path) =>
        `${path} is missing. \`npm run build\` makes what is below dist/; the rest is part of the project.`,
    );
}
