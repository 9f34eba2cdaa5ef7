// The order of the test files: those first that start processes and wait for them, so that none of them is what the others have ended
// long ago. Among the rest the larger file comes first, as in jest's own order where it knows nothing of earlier runs.
import { statSync } from 'node:fs';
import Sequencer from '@jest/test-sequencer';

const FOLDERS = ['/test/walk/', '/test/fault/', '/test/kong-plugin/', '/test/kong/'];

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const placed = tests.map((test) => {
      const folder = FOLDERS.findIndex((name) => test.path.includes(name));
      return { test, folder: folder < 0 ? FOLDERS.length : folder, bytes: statSync(test.path).size };
    });
    return placed.sort((a, b) => a.folder - b.folder || b.bytes - a.bytes).map(({ test }) => test);
  }
}
