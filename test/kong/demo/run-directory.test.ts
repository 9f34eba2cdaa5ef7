import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunDirectory, removeRunDirectory } from '../../../kong/demo/run-directory';

const texts = {
  kongConfig: (spoolDirectory: string) => `spool: ${spoolDirectory}`,
  prometheusConfig: 'prometheus',
};

describe("the run's folder", () => {
  let parent: string;
  beforeEach(() => (parent = mkdtempSync(join(tmpdir(), 'gw-test-'))));
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  it('is private, holds the derived files and leaves nothing behind', () => {
    const directory = createRunDirectory(texts, parent);
    expect(statSync(directory.root).mode & 0o777).toBe(0o700);
    expect(readFileSync(directory.kongConfig, 'utf8')).toBe(`spool: ${join(directory.root, 'spool')}`);
    expect(readFileSync(directory.prometheusConfig, 'utf8')).toBe('prometheus');
    removeRunDirectory(directory.root);
    removeRunDirectory(directory.root);
    expect(readdirSync(parent)).toEqual([]);
  });

  it('is refused where a socket in it would have too long a path, and is not left there', () => {
    const deep = join(parent, 'd'.repeat(90));
    mkdirSync(deep);
    expect(() => createRunDirectory(texts, deep)).toThrow(/is too long for a unix socket: set TMPDIR/);
    expect(readdirSync(deep)).toEqual([]);
    expect(existsSync(deep)).toBe(true);
  });
});
