// The last line of a test run in the plain form that any reader of a log can find: "N passed, N failed". A run whose tests
// leave something open, a connection or a program, would not end: after a while it is ended here, and that is a failure.
import { setTimeout } from 'node:timers';

const END_AFTER_MS = 30_000;

export default class PlainLineReporter {
  #isWatching;

  constructor({ watch, watchAll }) {
    this.#isWatching = watch || watchAll;
  }

  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = results;
    let failed = numFailedTests + numRuntimeErrorTestSuites;
    const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : '';
    // At the exit, so that nothing of jest's own comes after it.
    process.once('exit', () => {
      process.stdout.write(`\n${numPassedTests} passed, ${failed} failed${skipped}\n`);
    });
    if (this.#isWatching) return;
    setTimeout(() => {
      failed += 1;
      process.stderr.write(`\nThe tests left something open: the run was ended after ${END_AFTER_MS} ms.\n`);
      process.exit(1);
    }, END_AFTER_MS).unref();
  }
}
