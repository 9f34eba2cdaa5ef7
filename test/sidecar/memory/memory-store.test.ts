import {
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { FileInUse, openLmdbFile } from '../../../sidecar/memory/lmdb-file';
import type { MemoryChanges } from '../../../sidecar/memory/memory-changes';
import { MEMORY_VERSION, encodeRecord, placeOf } from '../../../sidecar/memory/memory-record';
import { MEMORY_FILE_NAME, MemoryStore, type OpenMemory } from '../../../sidecar/memory/memory-store';

const clock = { nowMs: () => 1_700_000_000_000 };
/** Where a flush costs nothing. */
const FAST_DIRECTORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

let directory: string;
let path: string;
let memory: OpenMemory;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-memory-'));
  path = join(directory, MEMORY_FILE_NAME);
  memory = MemoryStore.open(directory, clock);
});

afterEach(async () => {
  await memory.store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function reopen(): Promise<OpenMemory> {
  await memory.store.close();
  return (memory = MemoryStore.open(directory, clock));
}

function put(key: string, value: unknown): MemoryChanges {
  return { puts: [{ key, value }], deletes: [] };
}

/** As it is on disk. */
async function content(): Promise<Record<string, unknown>> {
  const { entries, unreadable, store } = await reopen();
  expect([unreadable, store.fault]).toEqual([0, undefined]);
  return Object.fromEntries(entries);
}

describe('the memory of the alerts', () => {
  it('is empty where there was none, and makes its directory', async () => {
    expect([memory.entries.size, memory.unreadable, memory.store.fault]).toEqual([0, 0, undefined]);
    const deep = join(directory, 'a', 'b');
    const other = MemoryStore.open(deep, clock);
    await other.store.commit(put('route', 1));
    await other.store.close();
    expect(statSync(join(deep, MEMORY_FILE_NAME)).size).toBe(other.store.bytes);
    expect(statSync(deep).mode & 0o777).toBe(0o700);
  });

  it('holds after each reopening what was put and not deleted, as a map does', async () => {
    const key = fc.constantFrom(
      'route',
      'alert/1',
      'alert/2',
      'window/1',
      'ключ',
      '',
      'x'.repeat(3_000),
      '\0',
    );
    const changes = fc.record({
      puts: fc.uniqueArray(fc.record({ key, value: fc.integer() }), {
        selector: (one) => one.key,
        maxLength: 4,
      }),
      deletes: fc.array(key, { maxLength: 2 }),
    });
    const model = new Map<string, unknown>();
    await fc.assert(
      fc.asyncProperty(fc.array(changes, { maxLength: 6 }), async (all) => {
        const { store } = memory;
        const commits = all.map(({ puts, deletes }) => {
          const apart = deletes.filter((gone) => !puts.some((one) => one.key === gone));
          for (const one of puts) model.set(one.key, one.value);
          for (const gone of apart) model.delete(gone);
          return store.commit({ puts, deletes: apart });
        });
        await Promise.all(commits);
        expect(await content()).toEqual(Object.fromEntries(model));
      }),
      { numRuns: 20, seed: 5 },
    );
  });

  it('writes commits that come at the same time in their order', async () => {
    const commits = Array.from({ length: 50 }, (_, index) =>
      memory.store.commit({
        puts: [
          { key: 'route', value: index },
          { key: `alert/${index}`, value: index },
        ],
        deletes: [`alert/${index - 1}`],
      }),
    );
    await Promise.all(commits);
    expect(await content()).toEqual({ route: 49, 'alert/49': 49 });
  });

  it('takes values as they are when it is called', async () => {
    const value = { state: 'firing' };
    const committed = memory.store.commit(put('alert/1', value));
    value.state = 'resolved';
    await committed;
    expect(await content()).toEqual({ 'alert/1': { state: 'firing' } });
  });

  it('keeps nothing of a commit with a value that it cannot keep, and takes the next one', async () => {
    const { store } = memory;
    await expect(
      store.commit({
        puts: [
          { key: 'a', value: 1 },
          { key: 'b', value: new Map() },
        ],
        deletes: [],
      }),
    ).rejects.toThrow(TypeError);
    expect([store.waiting, store.fault]).toEqual([0, undefined]);
    await store.commit(put('c', 1));
    expect(await content()).toEqual({ c: 1 });
  });

  it('does not let a second one into its file', () => {
    expect(() => openLmdbFile(path, 0)).toThrow(FileInUse);
  });

  it('refuses a commit after it was closed', async () => {
    await memory.store.close();
    await expect(memory.store.commit(put('a', 1))).rejects.toThrow('was closed');
  });

  it('keeps its file small, however often records are rewritten', async () => {
    const fast = mkdtempSync(join(FAST_DIRECTORY, 'gatewatch-memory-'));
    const { store } = MemoryStore.open(fast, clock);
    try {
      const sizes: number[] = [];
      for (let round = 0; round < 10_000; round++) {
        const value = Buffer.alloc(500 + ((round * 131) % 3_000), round);
        const puts = [0, 1, 2, 3].map((slot) => ({ key: `window/${round + slot}`, value }));
        await store.commit({ puts: [...puts, { key: 'route', value }], deletes: [`window/${round - 100}`] });
        sizes.push(store.bytes);
      }
      // A hundred slots of 3.5 KB each at most, and what one transaction replaces.
      expect(Math.max(...sizes)).toBeLessThan(1024 * 1024);
      expect(sizes.at(-1)).toBe(sizes[5_000]);
    } finally {
      await store.close();
      rmSync(fast, { recursive: true, force: true });
    }
  });
});

describe('a memory whose disk does not take it', () => {
  /** The directory is gone, and a file is where it was. */
  function block(): void {
    rmSync(directory, { recursive: true });
    writeFileSync(directory, '');
  }

  function unblock(): void {
    rmSync(directory);
  }

  it('goes on, says why, and writes all that has waited with the next commit that succeeds', async () => {
    const { store } = memory;
    await store.commit({
      puts: [1, 2, 3].map((key) => ({ key: `alert/${key}`, value: 'old' })),
      deletes: [],
    });
    block();
    await expect(store.commit(put('alert/1', 'lost?'))).rejects.toThrow('ENOTDIR');
    await expect(store.commit({ puts: [], deletes: ['alert/2'] })).rejects.toThrow('ENOTDIR');
    await expect(store.commit(put('alert/4', 'new'))).rejects.toThrow('ENOTDIR');
    await expect(store.commit()).rejects.toThrow('ENOTDIR');
    expect(store.fault?.message).toContain('ENOTDIR');
    expect([store.faults, store.failedCommits, store.waiting]).toEqual([1, 4, 3]);
    unblock();
    await store.commit(put('alert/1', 'newer'));
    expect([store.faults, store.waiting, store.fault]).toEqual([1, 0, undefined]);
    expect(store.lastFault?.message).toContain('it is written again');
    // Alert 3 did not change meanwhile: it was read out of the file that was deleted.
    expect(await content()).toEqual({ 'alert/1': 'newer', 'alert/3': 'old', 'alert/4': 'new' });
  });

  it('writes what has waited without anything new, too', async () => {
    block();
    await expect(memory.store.commit(put('alert/1', 1))).rejects.toThrow('ENOTDIR');
    unblock();
    await memory.store.commit();
    expect(await content()).toEqual({ 'alert/1': 1 });
  });

  it('begins in memory where it cannot be opened', async () => {
    await memory.store.close();
    block();
    memory = MemoryStore.open(directory, clock);
    expect(memory.entries.size).toBe(0);
    expect(memory.store.fault?.message).toContain('ENOTDIR');
    await expect(memory.store.commit(put('alert/1', 1))).rejects.toThrow('ENOTDIR');
    unblock();
    await memory.store.commit(put('alert/2', 2));
    expect(await content()).toEqual({ 'alert/1': 1, 'alert/2': 2 });
  });

  it('is written again where its file was deleted while it ran', async () => {
    await memory.store.commit(put('alert/1', 1));
    rmSync(path);
    await memory.store.commit(put('alert/2', 2));
    expect([memory.store.faults, memory.store.fault]).toEqual([1, undefined]);
    expect(memory.store.lastFault?.message).toBe(
      `${path} was deleted or exchanged while the sidecar ran; it is written again`,
    );
    expect(await content()).toEqual({ 'alert/1': 1, 'alert/2': 2 });
  });

  it('is written again where its file was exchanged, and the other one is set aside', async () => {
    await memory.store.commit(put('alert/1', 1));
    renameSync(path, `${path}.away`);
    writeFileSync(path, 'no memory at all');
    await memory.store.commit(put('alert/2', 2));
    expect(readdirSync(directory).filter((name) => name.includes('unread'))).toEqual([
      `${MEMORY_FILE_NAME}.unread-2023-11-14T22-13-20.000Z`,
    ]);
    expect(await content()).toEqual({ 'alert/1': 1, 'alert/2': 2 });
  });

  it('goes on with what is new where its file was cut off while it ran', async () => {
    await memory.store.commit(put('alert/1', Buffer.alloc(100_000)));
    await memory.store.commit(put('alert/2', 2));
    truncateSync(path, 8_192);
    await memory.store.commit(put('alert/3', 3));
    expect(memory.store.lastFault?.message).toBe(
      `${path} was cut off while the sidecar ran; what it held is lost`,
    );
    expect(await content()).toEqual({ 'alert/3': 3 });
  });

  it('is set aside by the first commit where another release wrote it and nobody has checked it', async () => {
    await memory.store.close();
    const file = openLmdbFile(path, 0);
    await file.commit({
      puts: [{ key: placeOf('route'), value: encodeRecord('route', 1, MEMORY_VERSION + 1) }],
      deletes: [],
    });
    await file.close();
    memory = MemoryStore.open(directory, clock);
    expect(memory.store.fault?.message).toBe(
      `it has form ${MEMORY_VERSION + 1}, and this release reads form ${MEMORY_VERSION}`,
    );
    await memory.store.commit(put('alert/1', 1));
    expect(await content()).toEqual({ 'alert/1': 1 });
  });
});
