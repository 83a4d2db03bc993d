import { TestEnvironment } from 'jest-environment-node';

let environment: InstanceType<typeof TestEnvironment> | undefined;

/** The one environment of a worker (see runtime-of-worker.ts). It ends with the worker. */
export default function environmentOfWorker(
  ...made: ConstructorParameters<typeof TestEnvironment>
): InstanceType<typeof TestEnvironment> {
  if (environment === undefined) {
    environment = new TestEnvironment(...made);
    environment.teardown = async () => {};
  }
  return environment;
}
