import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderFault } from '../../../sidecar/config/config-fault';
import { loadConfig } from '../../../sidecar/config/load-config';

describe('the configuration on disk', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatewatch-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function faultsOf(file: string): string[] {
    const loaded = loadConfig(file);
    return loaded.ok ? [] : loaded.faults.map(renderFault);
  }

  it('takes a secret file from beside it', () => {
    const file = join(folder, 'gatewatch.yml');
    writeFileSync(join(folder, 'token'), 'a-token-of-some-length\n');
    writeFileSync(file, 'token_file: token\n');
    const loaded = loadConfig(file);
    expect(loaded.ok && loaded.config.token?.reveal()).toBe('a-token-of-some-length');
  });

  it('has a fault where there is no file, a folder, or no text', () => {
    const bytes = join(folder, 'bytes.yml');
    writeFileSync(bytes, Buffer.from([0x6c, 0xff, 0xfe]));
    const none = join(folder, 'none.yml');
    expect(faultsOf(none)).toEqual([`${none}:1:1: expected a readable file in UTF-8, found ENOENT`]);
    expect(faultsOf(folder)).toEqual([`${folder}:1:1: expected a readable file in UTF-8, found EISDIR`]);
    expect(faultsOf(bytes)).toEqual([
      `${bytes}:1:1: expected a readable file in UTF-8, found ERR_ENCODING_INVALID_ENCODED_DATA`,
    ]);
  });
});
