// For tests that mount, or run something as another user. Out: the tests, where they may; elsewhere one test that is reported as
// skipped with the reason on stderr, or, under GATEWATCH_REQUIRE_PROGRAMS=1, one that fails.

export function describeAsRoot(title: string, tests: () => void): void {
  describe(title, () => {
    if (process.getuid?.() === 0) {
      tests();
      return;
    }
    const reason = 'needs root';
    if (process.env['GATEWATCH_REQUIRE_PROGRAMS'] === '1') {
      it(reason, () => expect(process.getuid?.()).toBe(0));
    } else {
      process.stderr.write(`\nNOT RUN: "${title}" ${reason}.\n`);
      it.skip(reason, () => undefined);
    }
  });
}
