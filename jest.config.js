/*
 * Node is told `--liftoff-only` by `npm test`: databases in WebAssembly come and go by the dozen here, and the optimizing
 * compiler, which works on in threads of its own when one is gone, can take the whole process along (nodejs/node#64500).
 * Without it the tests are also faster, and need a third less memory.
 */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test'],
  globalSetup: '<rootDir>/test/before-all.ts',
  globalTeardown: '<rootDir>/test/after-all.ts',
  testMatch: ['**/*.spec.ts'],
  // Tests wait for conditions, not for times: this ends one whose condition never comes, on any machine under any load.
  testTimeout: 600_000,
  // Tests wait for disks, timers and other processes: as many workers as cores, not one fewer.
  maxWorkers: '100%',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
      },
    ],
  },
};
