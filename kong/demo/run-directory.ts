// In: nothing but the system's temporary folder. Out: a private folder (mode 0700) for one run of the demo, which holds
// the derived configurations, the plugin server's socket and all data, and is removed at the end.
// A unix socket's path may have about 100 bytes (107 on Linux, 103 on macOS), and the plugin server binds beside it, under its
// name and a process number: a longer one is refused before anything starts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOCKET_NAME = 'gatewatch.sock';
const LONGEST_SOCKET_PATH_BYTES = 94;

/** The paths of one run. */
export interface RunDirectory {
  readonly root: string;
  readonly socketPath: string;
  readonly spoolDirectory: string;
  readonly kongPrefix: string;
  readonly kongConfig: string;
  readonly prometheusConfig: string;
  readonly prometheusData: string;
  readonly sidecarData: string;
}

/**
 * Makes the folder, and in it the folders and the two derived files.
 *
 * @throws if the temporary folder cannot be written, or its path is too long for a socket
 */
export function createRunDirectory(
  texts: { readonly kongConfig: (spoolDirectory: string) => string; readonly prometheusConfig: string },
  temporaryFolder: string = tmpdir(),
): RunDirectory {
  const root = mkdtempSync(join(temporaryFolder, 'gatewatch-'));
  try {
    const directory: RunDirectory = {
      root,
      socketPath: join(root, SOCKET_NAME),
      spoolDirectory: join(root, 'spool'),
      kongPrefix: join(root, 'kong'),
      kongConfig: join(root, 'kong.yml'),
      prometheusConfig: join(root, 'prometheus.yml'),
      prometheusData: join(root, 'prometheus'),
      sidecarData: join(root, 'sidecar'),
    };
    if (Buffer.byteLength(directory.socketPath) > LONGEST_SOCKET_PATH_BYTES) {
      throw new Error(
        `${directory.socketPath} is too long for a unix socket: set TMPDIR to a folder with a shorter path, such as /tmp.`,
      );
    }
    for (const folder of [directory.kongPrefix, directory.prometheusData, directory.sidecarData]) {
      mkdirSync(folder);
    }
    writeFileSync(directory.kongConfig, texts.kongConfig(directory.spoolDirectory));
    writeFileSync(directory.prometheusConfig, texts.prometheusConfig);
    return directory;
  } catch (error) {
    removeRunDirectory(root);
    throw error;
  }
}

/** Removes the folder with all it holds; a folder that is already gone is no fault. */
export function removeRunDirectory(root: string): void {
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
}
