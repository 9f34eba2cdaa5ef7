import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { checkMemory as CheckMemory } from '../../../sidecar/memory/check-memory';
import { openLmdbFile } from '../../../sidecar/memory/lmdb-file';
import { MEMORY_VERSION, encodeRecord, placeOf } from '../../../sidecar/memory/memory-record';
import { MEMORY_FILE_NAME, MemoryStore } from '../../../sidecar/memory/memory-store';
import { seededRandom } from '../../support/seeded-random';
import { foundBy, startMemoryProgram } from './memory-program';

// It starts its child from where it is.
const { checkMemory } = jest.requireActual<{ checkMemory: typeof CheckMemory }>(
  '../../../dist/sidecar/memory/check-memory.js',
);

const NOW_MS = 1_700_000_000_000;
const ASIDE = `${MEMORY_FILE_NAME}.damaged-2023-11-14T22-13-20.000Z`;
const RECORDS = 300;

jest.setTimeout(300_000);

let directory: string;
let path: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-memory-'));
  path = join(directory, MEMORY_FILE_NAME);
  const { store } = MemoryStore.open(directory, { nowMs: () => NOW_MS });
  // So that there are pages of every kind, free ones too.
  for (const round of [1, 2, 3]) {
    const puts = Array.from({ length: RECORDS }, (_, index) => ({
      key: `alert/${index}`,
      value: { index, text: `${round}:${index}.`.repeat(1 + (index % 20) ** 2) },
    }));
    await store.commit({ puts, deletes: [] });
  }
  await store.close();
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function content(): Promise<Map<string, unknown>> {
  const { store, entries, unreadable } = MemoryStore.open(directory, { nowMs: () => NOW_MS });
  expect([store.fault, unreadable]).toEqual([undefined, 0]);
  await store.close();
  return entries;
}

function expectedContent(): Map<string, unknown> {
  return new Map(
    Array.from({ length: RECORDS }, (_, index) => [
      `alert/${index}`,
      { index, text: `3:${index}.`.repeat(1 + (index % 20) ** 2) },
    ]),
  );
}

function anew(reason: string): string {
  return (
    `the alerts' memory at ${path} cannot be used: ${reason}. It was set aside as ${join(directory, ASIDE)}. ` +
    'The alerts begin anew; the series and their counts are not touched'
  );
}

describe('the check of the memory before a start', () => {
  it('has nothing to say of none, and of one that is as it was written, and makes that smaller', async () => {
    const bytes = statSync(path).size;
    expect(checkMemory(directory, NOW_MS)).toEqual([]);
    expect(await content()).toEqual(expectedContent());
    expect(statSync(path).size).toBeLessThan(bytes);
    expect(readdirSync(directory).sort()).toEqual([MEMORY_FILE_NAME, `${MEMORY_FILE_NAME}-lock`]);
    rmSync(path);
    expect(checkMemory(directory, NOW_MS)).toEqual([]);
  });

  it('leaves out a record in which a bit was flipped, and says so', async () => {
    const bytes = readFileSync(path);
    const at = bytes.lastIndexOf(encodeRecord('alert/1', { index: 1, text: '3:1.'.repeat(2) }).subarray(4));
    bytes.writeUInt8(bytes.readUInt8(at + 20) ^ 4, at + 20);
    writeFileSync(path, bytes);
    expect(checkMemory(directory, NOW_MS)).toEqual([
      `1 damaged record of the alerts' memory at ${path} cannot be read and will be missing`,
    ]);
    const expected = expectedContent();
    expected.delete('alert/1');
    expect(await content()).toEqual(expected);
    expect(checkMemory(directory, NOW_MS)).toEqual([]);
  });

  it('leaves out a record that stands under the key of another', async () => {
    const file = openLmdbFile(path, 0);
    await file.commit({
      puts: [{ key: placeOf('alert/1'), value: encodeRecord('alert/2', 7) }],
      deletes: [],
    });
    await file.close();
    expect(checkMemory(directory, NOW_MS)).toHaveLength(1);
    const expected = expectedContent();
    expected.delete('alert/1');
    expect(await content()).toEqual(expected);
  });

  it.each([0.3, 0.6, 0.9])('sets aside one that was cut off to %d of its length', async (share) => {
    truncateSync(path, Math.floor((statSync(path).size * share) / 4_096) * 4_096);
    const cut = readFileSync(path);
    const said = checkMemory(directory, NOW_MS);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/cannot be used: .+\. It was set aside as /);
    expect(readFileSync(join(directory, ASIDE)).equals(cut)).toBe(true);
    expect((await content()).size).toBe(0);
  });

  it.each([
    ['another kind of file', Buffer.from('no memory at all\n'.repeat(2_000))],
    ['zeros', Buffer.alloc(64 * 1024)],
    ['a few bytes', Buffer.from('lmdb')],
  ])('sets aside what is none: %s', async (_what, bytes) => {
    writeFileSync(path, bytes);
    const [said] = checkMemory(directory, NOW_MS);
    expect(said).toContain(`It was set aside as ${join(directory, ASIDE)}`);
    expect((await content()).size).toBe(0);
  });

  it('sets aside one of another release, and says of which form', async () => {
    const file = openLmdbFile(path, 0);
    await file.commit({
      puts: [{ key: placeOf('route'), value: encodeRecord('route', {}, MEMORY_VERSION + 1) }],
      deletes: [],
    });
    await file.close();
    expect(checkMemory(directory, NOW_MS)).toEqual([
      anew(`it has form ${MEMORY_VERSION + 1}, and this release reads form ${MEMORY_VERSION}`),
    ]);
    expect((await content()).size).toBe(0);
  });

  it('keeps the last three that were set aside', () => {
    for (let day = 0; day < 5; day++) {
      writeFileSync(path, `of day ${day}`);
      checkMemory(directory, NOW_MS + day * 86_400_000);
    }
    const aside = readdirSync(directory).filter((name) => name.includes('damaged'));
    expect(aside.map((name) => readFileSync(join(directory, name), 'utf8')).sort()).toEqual([
      'of day 2',
      'of day 3',
      'of day 4',
    ]);
  });
});

describe('a memory in which bits were flipped anywhere', () => {
  const SEED = 5;

  it(`never ends the process, and gives back nothing that was not written (seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const source = mkdtempSync(join(tmpdir(), 'gatewatch-memory-'));
    await startMemoryProgram({ directory: source, keptEvents: 40, commits: 150 }).ended;
    const whole = readFileSync(join(source, MEMORY_FILE_NAME));
    let damaged = 0;
    for (let run = 0; run < 12; run++) {
      copyFileSync(join(source, MEMORY_FILE_NAME), path);
      const spoiled = Buffer.from(whole);
      for (let bit = 0; bit < 3; bit++) {
        // Every other run in the first bytes of a page, where lmdb keeps what the page is.
        const page = Math.floor((random() * spoiled.length) / 4_096) * 4_096;
        const at = page + Math.floor(random() * (run % 2 === 0 ? 4_096 : 32));
        spoiled.writeUInt8(spoiled.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
      }
      writeFileSync(path, spoiled);
      const program = startMemoryProgram({ directory, keptEvents: 40, commits: 30 });
      const found = await foundBy(program);
      expect(await program.ended).toEqual({ code: 0, signal: null });
      expect(program.output).not.toContain('failed');
      expect(found.isWhole).toBe(true);
      expect(found.events.filter(([key, number]) => key !== number)).toEqual([]);
      expect(found.fault).toBeUndefined();
      if (found.sentences.length > 0) damaged += 1;
    }
    expect(damaged).toBeGreaterThan(0);
    rmSync(source, { recursive: true });
  });
});
