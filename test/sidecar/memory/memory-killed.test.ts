// A process that holds the memory is killed in the middle of its commits. What it was told to be on disk is there afterwards,
// and of no commit only a part.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../support/seeded-random';
import { foundBy, lastCommitted, startMemoryProgram } from './memory-program';

const KEPT = 20;
const KILLS = 6;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-memory-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

it.each([1, 2, 3])(`the memory is whole after ${KILLS} kills (seed %d)`, async (seed) => {
  const random = seededRandom(seed);
  let committed = 0;
  for (let kill = 0; kill <= KILLS; kill++) {
    const program = startMemoryProgram({ directory, keptEvents: KEPT, commits: 100_000 });
    const { alerts, events, sentences, unreadable, isWhole, fault } = await foundBy(program);
    expect({ sentences, unreadable, isWhole, fault }).toEqual({
      sentences: [],
      unreadable: 0,
      isWhole: true,
      fault: undefined,
    });
    const last = Math.max(0, ...alerts);
    // One more may have been written without being told.
    expect([committed, committed + 1]).toContain(last);
    expect(alerts).toEqual(last === 0 ? [] : Array.from({ length: 10 }, () => last));
    const numbers = Array.from({ length: Math.min(KEPT, last) }, (_, index) => last - index).reverse();
    expect([...events].sort(([a], [b]) => a - b)).toEqual(numbers.map((number) => [number, number]));
    await program.says(new RegExp(`^committed ${last + 1 + Math.floor(random() * 60)}$`, 'm'));
    await program.end('SIGKILL');
    committed = lastCommitted(program);
    expect(committed).toBeGreaterThan(last);
  }
});
