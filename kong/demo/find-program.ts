// In: a program's name and the PATH. Out: the absolute path of the first executable file of that name, or undefined.
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * Looks a program up as a shell would. Relative folders of the PATH are passed over.
 *
 * @param name a bare file name such as `prometheus`
 * @param path folders separated as in `PATH`
 */
export function findProgram(name: string, path: string = process.env.PATH ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .find(isExecutableFile);
}

function isExecutableFile(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
