/**
 * `unit` needs Node only, `engine` the real Pulumi CLI and API server, `rehearsal` these and simulated nodes. The others need a running local
 * cluster: `cluster` its dev stack, `pods` only namespaces of its own, and `outage` ends it.
 */
const transform = {
  '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
};
const suite = (name) => ({
  displayName: name,
  rootDir: __dirname,
  // Only test/ is crawled: .trellis/ holds the volumes of running pods.
  roots: ['<rootDir>/test'],
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  testEnvironment: 'node',
  transform,
  // The SDK loads them with itself, to serialize functions, which no test does: a third of a second for each file that imports it.
  moduleNameMapper: {
    '^(\\.\\./)+typescript-shim$': '<rootDir>/test/support/never-loaded.js',
    '^@npmcli/arborist$': '<rootDir>/test/support/never-loaded.js',
  },
});

module.exports = {
  projects: [
    { ...suite('unit'), setupFiles: ['<rootDir>/test/support/plain-environment.ts'] },
    {
      ...suite('engine'),
      globalSetup: '<rootDir>/test/support/engine-suite.ts',
      globalTeardown: '<rootDir>/test/support/engine-suite-teardown.ts',
    },
    suite('rehearsal'),
    suite('cluster'),
    suite('pods'),
    suite('outage'),
  ],
  // Suites share the processor: a limit tells a hang from slowness.
  testTimeout: 90_000,
};
