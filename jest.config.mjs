export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  // Without jest's own summary, so that the plain line is the last one.
  reporters: [['default', { summary: false }], '<rootDir>/test/support/plain-line-reporter.mjs'],
};
