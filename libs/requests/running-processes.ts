import { z } from 'zod';
import type { EngineStatus, ProcessEngine } from '#processes/engine/engine';
import { type FailingCall, type Parked, parked } from '#processes/engine/process-run';
import { exampleIds } from '#read-models/models/examples';

const { id: parkedItemId, ...ofParked } = parked.shape;
export const parkedItem = z.object({ parkedItemId, ...ofParked }).meta({ id: 'ParkedItem' });
export type ParkedItem = z.infer<typeof parkedItem>;

export const parkedItemOf = ({ id: parkedItemId, ...item }: Parked): ParkedItem => ({ parkedItemId, ...item });

export const parkedItemExample: ParkedItem = {
  parkedItemId: exampleIds.parkedItemId,
  process: 'lead-distribution',
  stream: `lead-${exampleIds.leadId}`,
  what: 'AssignLead',
  reason: 'the store cannot be reached',
  attempts: 6,
  since: '2026-03-01T09:30:00.000Z',
};

/** The processes of the store, in whichever program they run. */
export interface RunningProcesses {
  /** Undefined when no program that runs them is known. */
  status(): Promise<EngineStatus | undefined>;
  parked(): Promise<readonly Parked[]>;
  /** As far as the programs know: not all, where there are many. */
  failingCalls(): Promise<readonly FailingCall[]>;
  /** @returns false when nothing is parked under this id */
  retry(id: string): Promise<boolean>;
}

/** The processes of this program. */
export const runningHere = (engine: ProcessEngine): RunningProcesses => ({
  status: async () => engine.status(),
  parked: async () => engine.parked(),
  failingCalls: async () => engine.failingCalls(),
  retry: async (id) => engine.retry(id),
});

/** What a worker reports from time to time. */
export interface WorkerReport {
  readonly units: readonly string[];
  readonly status: EngineStatus;
  readonly parked: readonly Parked[];
  /** Absent in reports of workers of the version before. */
  readonly failingCalls?: readonly FailingCall[];
}

/** Where workers leave their reports, and find what they are to try again. */
interface Workers {
  /** The last reports of the workers that run. */
  reports(): Promise<readonly WorkerReport[]>;
  /** Asks the worker that parked an item to try it again. */
  askForRetry(item: string): Promise<void>;
}

/** The processes of the workers, by their last reports. */
export const runningElsewhere = (workers: Workers): RunningProcesses => {
  const parked = async () => {
    const reports = await workers.reports();
    return [...new Map(reports.flatMap((report) => report.parked).map((item) => [item.id, item])).values()];
  };
  return {
    parked,
    failingCalls: async () => (await workers.reports()).flatMap((report) => report.failingCalls ?? []),
    async status() {
      const reports = await workers.reports();
      // Each worker folds every fact. The one that runs a process, or a part of it, knows the most about it.
      const knowsMost = (name: string) =>
        reports.find(({ units }) => units.some((unit) => unit.split('/', 1)[0] === name)) ?? reports[0];
      const [first] = reports;
      return (
        first && {
          ...first.status,
          processes: first.status.processes.map(
            (one) => knowsMost(one.name)?.status.processes.find(({ name }) => name === one.name) ?? one,
          ),
        }
      );
    },
    async retry(id) {
      if (!(await parked()).some((item) => item.id === id)) return false;
      await workers.askForRetry(id);
      return true;
    },
  };
};

/** No program is known that runs processes. */
export const runningNowhere: RunningProcesses = {
  status: async () => undefined,
  parked: async () => [],
  failingCalls: async () => [],
  retry: async () => false,
};
