import type { EngineStatus, ProcessEngine } from '#processes/engine/engine';
import type { Parked } from '#processes/engine/process-run';
import type { RunningProcesses } from '#requests/operations';
import type { Leases } from './leases.ts';

/** The processes of this program. */
export const runningHere = (engine: ProcessEngine): RunningProcesses => ({
  status: async () => engine.status(),
  parked: async () => engine.parked(),
  retry: async (id) => engine.retry(id),
});

/** What a worker reports each time it renews its leases. */
export interface WorkerReport {
  readonly units: readonly string[];
  readonly status: EngineStatus;
  readonly parked: readonly Parked[];
}

/** The processes of the workers, by their last reports. */
export const runningElsewhere = (leases: Leases): RunningProcesses => {
  const parked = async () => {
    const reports = await leases.reports<WorkerReport>();
    return [...new Map(reports.flatMap((report) => report.parked).map((item) => [item.id, item])).values()];
  };
  return {
    parked,
    async status() {
      const reports = await leases.reports<WorkerReport>();
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
      await leases.askForRetry(id);
      return true;
    },
  };
};

/** No program is known that runs processes. */
export const runningNowhere: RunningProcesses = {
  status: async () => undefined,
  parked: async () => [],
  retry: async () => false,
};
