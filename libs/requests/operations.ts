import type { z } from 'zod';
import { UnknownModel } from '#read-models/errors';
import { exampleIds } from '#read-models/models/examples';
import { type ReadModels, readModelStatus } from '#read-models/read-models';
import { type LiftingRequest, liftSuppressions } from './lifted-suppressions.ts';
import { decideMissedRenewals, type MissedRenewalsRequest } from './missed-renewals.ts';
import { passkeyOperations } from './passkeys.ts';
import type { PersonTools } from './person-search.ts';
import { erasePerson } from './persons.ts';
import { proofOperations } from './proofs.ts';
import { sameForAll } from './query-tools.ts';
import { type RequestContext, whateverRevision } from './request-tools.ts';
import type { RunningProcesses } from './running-processes.ts';
import { sessionOperations } from './sessions.ts';
import { type ActRequest, asPolicySays } from './two-members.ts';

export interface OperationDependencies {
  readonly readModels: ReadModels;
  readonly processes: RunningProcesses;
}

export type Operations = ReturnType<typeof createOperations>;

interface ReadModelRequest {
  readonly name: string;
}

/**
 * What operators do to the programs of a store, which changes nothing in the ledger; sessions, which are not in it; erasures, which change more than the
 * ledger: keys, and copies of mails; and what changes many streams, one by one.
 */
export const createOperations = (tools: PersonTools) => ({
  // Neither a person nor a list has a revision that If-Match could name.
  erasePerson: (asking: RequestContext, request: ActRequest) => {
    const context = whateverRevision(asking);
    return asPolicySays(tools, context, 'erasure', request, () => erasePerson(tools, context, request.person));
  },
  decideMissedRenewals: (context: RequestContext, request: MissedRenewalsRequest) =>
    decideMissedRenewals(tools, context, request),
  liftSuppressions: (context: RequestContext, request: LiftingRequest) =>
    liftSuppressions(tools, whateverRevision(context), request),
  ...sessionOperations(tools),
  ...proofOperations(tools),
  ...passkeyOperations(tools),
  /** @returns false when nothing is parked under this id */
  retryParkedItem: sameForAll(({ id }: { id: string }): Promise<boolean> => tools.processes.retry(id)),
  ...readModelOperations(tools.readModels),
});

/** Each returns the status of the read model afterwards. @throws UnknownModel */
function readModelOperations(readModels: ReadModels) {
  const statusAfter = (operate: (name: string) => Promise<unknown>) =>
    sameForAll(async ({ name }: ReadModelRequest) => {
      await operate(name);
      return statusOf(readModels, name);
    });
  return {
    pauseReadModel: statusAfter((name) => readModels.pause(name)),
    resumeReadModel: statusAfter((name) => readModels.resume(name)),
    retryReadModel: statusAfter((name) => readModels.retry(name)),
    rebuildReadModel: sameForAll(({ name }: ReadModelRequest) => startRebuild(readModels, name)),
    /** @returns undefined when this program does not rebuild the model */
    cancelReadModelRebuild: sameForAll(async ({ name }: ReadModelRequest) =>
      readModels.cancelRebuild(name) ? statusOf(readModels, name) : undefined,
    ),
  };
}

/** A refusal is reported at once. `finished` settles when the rebuild ends. */
async function startRebuild(readModels: ReadModels, name: string) {
  const finished = readModels.rebuild(name);
  await Promise.race([finished, statusOf(readModels, name)]);
  return { finished, status: await statusOf(readModels, name) };
}

async function statusOf(readModels: ReadModels, name: string): Promise<ReadModel> {
  const status = (await readModelStatuses(readModels)).find((model) => model.name === name);
  if (!status) throw new UnknownModel(name, readModels.names);
  return status;
}

/** Without the values that only the program knows that follows it. */
export const readModel = readModelStatus.omit({ following: true }).meta({ id: 'ReadModel' });
export type ReadModel = z.infer<typeof readModel>;

export const readModelExample: z.input<typeof readModel> = {
  name: 'orders',
  version: '5d1f3a528f6a',
  position: '0000000000000042',
  whole: true,
  paused: false,
  parkedStreams: [
    {
      stream: `order-${exampleIds.orderId}`,
      revision: 3,
      reason: 'OrderPaused of an order that was never placed',
    },
  ],
};

export const readModelStatuses = async (readModels: ReadModels): Promise<ReadModel[]> =>
  (await readModels.status()).map(({ following: _, ...status }) => status);
