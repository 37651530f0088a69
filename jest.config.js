/**
 * Four suites: `unit` needs Node only, `engine` the real Pulumi CLI and API server, `rehearsal` these and simulated nodes,
 * `cluster` a running local cluster.
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
  projects: [suite('unit'), suite('engine'), suite('rehearsal'), suite('cluster')],
  testTimeout: 30_000,
};
