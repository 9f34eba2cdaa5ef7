// The rim of the configuration: the file, the secret files and the environment.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { types } from 'node:util';
import { readConfig, type ReadConfig } from './read-config';

/** Never throws: a file that cannot be read is a fault like any other. */
export function loadConfig(file: string): ReadConfig {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const found = types.isNativeError(error) && 'code' in error ? String(error.code) : 'an error';
    return {
      ok: false,
      faults: [{ file, line: 1, column: 1, path: '', expected: 'a readable file in UTF-8', found }],
    };
  }
  const folder = dirname(file);
  const readSecretFile = (path: string): string => readFileSync(resolve(folder, path), 'utf8');
  return readConfig({ text, file, environment: process.env, readSecretFile });
}
