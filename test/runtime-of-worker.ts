import { createRequire } from 'node:module';

// Its types do not say that it can be imported.
const { default: Runtime } = createRequire(import.meta.url)('jest-runtime') as typeof import('jest-runtime');
type Runtime = InstanceType<typeof Runtime>;

/*
 * Jest loads all modules again for each spec file: more than a second of the processor for a file that starts a server.
 * Here a worker loads each module once, as a program does, and its spec files run one after the other on these modules. So a
 * module must not remember what one test left in it. A module of ours that does is a defect in a program, too.
 *
 * Jest has no setting for this. It takes the runtime and the environment that its configuration names, and these functions
 * give it the same ones for each file. What is used of Jest's own parts is listed in `Parts`: a new version of Jest may name
 * them otherwise, and then every spec fails at once.
 */

interface Parts {
  _testPath: string;
  readonly _environment: { readonly global: Record<symbol, unknown> & { readonly process: NodeJS.Process } };
  readonly esmLoader: { testPath: string };
  readonly testState: { state: string };
  readonly mockState: { clear(): void };
  readonly registries: {
    getActiveEsmRegistry(): Map<string, unknown>;
    getInternalCjsRegistry(): Map<string, unknown>;
  };
}

/** Jest's runner collects the tests of a file, and who is to be notified of them, in modules and in a global of this name. */
const RUNNER = /jest-circus/;
const HANDLERS_OF_RUNNER = Symbol.for('EVENT_HANDLERS');
const SPEC = /\.spec\.ts$/;

let runtime: Runtime | undefined;

export default function runtimeOfWorker(...made: ConstructorParameters<typeof Runtime>): Runtime {
  const [, , , , , , testPath, { watch, watchAll }] = made;
  // There, files change between two runs.
  if (watch || watchAll) return new Runtime(...made);
  if (runtime === undefined) {
    runtime = new Runtime(...made);
    runtime.teardown = forgetSpec(runtime);
  }
  const parts = runtime as unknown as Parts;
  parts._testPath = testPath;
  parts.esmLoader.testPath = testPath;
  parts.testState.state = 'loading';
  return runtime;
}

function forgetSpec(kept: Runtime): () => void {
  const { registries, mockState, _environment } = kept as unknown as Parts;
  const { env } = _environment.global.process;
  const variables = { ...env };
  return () => {
    kept.restoreAllMocks();
    mockState.clear();
    removeKeys(registries.getActiveEsmRegistry(), SPEC);
    removeKeys(registries.getInternalCjsRegistry(), RUNNER);
    delete _environment.global[HANDLERS_OF_RUNNER];
    for (const name of Object.keys(env)) delete env[name];
    Object.assign(env, variables);
    kept.leaveTestCode();
  };
}

function removeKeys(registry: Map<string, unknown>, names: RegExp): void {
  for (const key of registry.keys()) if (names.test(key)) registry.delete(key);
}
