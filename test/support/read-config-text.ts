// A text as gatewatch.yml, read without files and with an environment of its own.
import type { Config } from '../../sidecar/config/config';
import { renderFault } from '../../sidecar/config/config-fault';
import { readConfig, type ReadConfig } from '../../sidecar/config/read-config';

export function readConfigText(
  text: string,
  environment: Readonly<Record<string, string>> = {},
  secretFiles: Readonly<Record<string, string>> = {},
): ReadConfig {
  return readConfig({
    text,
    file: 'gatewatch.yml',
    environment,
    readFile: (path) => {
      const content = secretFiles[path];
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return content;
    },
    readWebConfig: () => {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    },
  });
}

/** @throws with its faults */
export function configOf(...args: Parameters<typeof readConfigText>): Config {
  const result = readConfigText(...args);
  if (!result.ok) throw new Error(result.faults.map(renderFault).join('\n'));
  return result.config;
}

/** Its faults as they are told; none where it is right. */
export function faultsOf(...args: Parameters<typeof readConfigText>): string[] {
  const result = readConfigText(...args);
  return result.ok ? [] : result.faults.map(renderFault);
}
