import { enableCompileCache } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

// What Node compiles itself (Jest, the threads of the tests, programs) the next process finds compiled.
process.env.NODE_COMPILE_CACHE ||= join(import.meta.dirname, 'node_modules/.cache/compiled');
enableCompileCache(process.env.NODE_COMPILE_CACHE);

/*
 * `npm test` gives Node `--liftoff-only`: the tests open and close many databases in WebAssembly, and V8's optimizing
 * compiler can crash the process when it still works on a database that is closed (nodejs/node#64500). Without it the
 * tests are also faster, and need a third less memory.
 */
// Suites of their own, with scripts of their own: `npm run test:programs`, or the path of one of their files.
const APART = ['test/programs', 'test/security'];
const isAsked = (suite) => process.argv.some((argument) => argument.includes(suite));

export default {
  testPathIgnorePatterns: APART.filter((suite) => !isAsked(suite)).map((suite) => `/${suite}/`),
  // All spec files of a worker run on the same modules.
  runtime: '<rootDir>/test/runtime-of-worker.ts',
  testEnvironment: '<rootDir>/test/environment-of-worker.ts',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test'],
  globalSetup: '<rootDir>/test/before-all.ts',
  globalTeardown: '<rootDir>/test/after-all.ts',
  testMatch: ['**/*.spec.ts'],
  // Tests wait for conditions, not for times. This ends a test whose condition never becomes true.
  testTimeout: 600_000,
  // Each has databases in threads of their own, which need a core, too.
  maxWorkers: availableParallelism(),
  // A worker that opened many databases needs some time to end. Jest's half second is too short on a busy machine.
  workerGracefulExitTimeout: 60_000,
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
