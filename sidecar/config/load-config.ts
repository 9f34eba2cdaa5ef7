// The rim of the configuration: the file, the secret files, the web configuration with its certificates, and the environment.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { types } from 'node:util';
import { readConfig, readRules, type ReadConfig } from './read-config';
import { readWebConfig, type ReadWebConfig } from './read-web-config';

/** Never throws: a file that cannot be read is a fault like any other. */
export function loadConfig(file: string): ReadConfig {
  const text = textOf(file);
  if (typeof text !== 'string') return text;
  const folder = dirname(file);
  const readOther = (path: string): string => readFileSync(resolve(folder, path), 'utf8');
  const loadWebConfig = (path: string): ReadWebConfig => {
    const webFile = resolve(folder, path);
    const webFolder = dirname(webFile);
    return readWebConfig({
      text: readText(webFile),
      file: webFile,
      resolvePath: (other) => resolve(webFolder, other),
      readFile: readText,
    });
  };
  return readConfig({
    text,
    file,
    environment: process.env,
    readFile: readOther,
    readWebConfig: loadWebConfig,
  });
}

/** Only its rules and who is told of them, as `readRules` has it. Never throws. */
export function loadRules(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): ReadConfig {
  const text = textOf(file);
  return typeof text === 'string' ? readRules({ text, file, environment }) : text;
}

function textOf(file: string): string | Extract<ReadConfig, { ok: false }> {
  try {
    return readText(file);
  } catch (error) {
    const found = types.isNativeError(error) && 'code' in error ? String(error.code) : 'an error';
    return {
      ok: false,
      faults: [{ file, line: 1, column: 1, path: '', expected: 'a readable file in UTF-8', found }],
    };
  }
}

function readText(file: string): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
}
