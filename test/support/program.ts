// In: the name of a program that a test needs. Out: the tests, where it is on the PATH; where it is not, one test that is
// reported as skipped with the reason on stderr, or, under GATEWATCH_REQUIRE_PROGRAMS=1, one that fails.
import { findProgram } from '../../kong/demo/find-program';

export { findProgram };

/**
 * A `describe` for tests that run a program.
 *
 * @param tests gets the program's absolute path
 */
export function describeWith(program: string, title: string, tests: (path: string) => void): void {
  const path = findProgram(program);
  describe(title, () => {
    if (path !== undefined) {
      tests(path);
      return;
    }
    const reason = `needs the program ${program}, which is not on the PATH`;
    if (process.env.GATEWATCH_REQUIRE_PROGRAMS === '1') {
      it(reason, () => {
        throw new Error(
          `"${title}" ${reason}, and GATEWATCH_REQUIRE_PROGRAMS=1 asks for it. Install ${program}.`,
        );
      });
    } else {
      process.stderr.write(`\nNOT RUN: "${title}" ${reason}.\n`);
      it.skip(reason, () => undefined);
    }
  });
}
