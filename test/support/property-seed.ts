// Every run of the tests draws the same random values, so that one that fails for others can fail again. Other values:
// GATEWATCH_SEED=7 npm test
// Set where a test asks for the library: loading it costs more than most files of tests.
import type * as FastCheck from 'fast-check';

jest.mock('fast-check', () => {
  const library = jest.requireActual<typeof FastCheck>('fast-check');
  library.configureGlobal({ seed: Number(process.env['GATEWATCH_SEED'] ?? 20_261_201) });
  return library;
});
