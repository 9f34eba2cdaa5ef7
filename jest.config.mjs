export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testSequencer: '<rootDir>/test/support/longest-first.mjs',
  setupFiles: ['<rootDir>/test/support/property-seed.ts'],
  // They wait more than they work, and each may start several processes.
  maxWorkers: 2,
  // Against a test that hangs, and no measure of one that works: a busy machine may be many times slower than an idle one. Longer
  // than what a test waits for may take, so that it is the wait that fails and says for what.
  testTimeout: 120_000,
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  reporters: ['default', '<rootDir>/test/support/plain-line-reporter.mjs'],
};
