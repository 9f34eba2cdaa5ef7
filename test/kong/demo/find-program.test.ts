import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findProgram } from '../../../kong/demo/find-program';

describe('a program', () => {
  let parent: string;
  beforeEach(() => (parent = mkdtempSync(join(tmpdir(), 'gw-test-'))));
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  it('is the first executable file of that name on the PATH, not a folder or a plain file', () => {
    const folders = ['folder', 'plain', 'first', 'second'].map((name) => join(parent, name));
    folders.forEach((folder) => mkdirSync(folder));
    mkdirSync(join(parent, 'folder', 'tool'));
    for (const name of ['plain', 'first', 'second']) writeFileSync(join(parent, name, 'tool'), '#!/bin/sh\n');
    chmodSync(join(parent, 'plain', 'tool'), 0o644);
    for (const name of ['first', 'second']) chmodSync(join(parent, name, 'tool'), 0o755);
    const path = ['', '.', join(parent, 'missing'), ...folders].join(delimiter);
    expect(findProgram('tool', path)).toBe(join(parent, 'first', 'tool'));
    expect(findProgram('other-tool', path)).toBeUndefined();
  });
});
