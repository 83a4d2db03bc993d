import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Activities } from '#domain/kernel/activities';
import { logActivities, programLog } from './program-log.ts';
import { sendsTelemetry } from './settings.ts';

/** The gauges of a program now, as Prometheus has them. */
export type Measure = () => Promise<
  readonly {
    readonly name: string;
    readonly help: string;
    readonly values: readonly { readonly labels: Record<string, string>; readonly value: number }[];
  }[]
>;

/** What is sent to a collector of OpenTelemetry. */
export interface Telemetry {
  /** Sends these gauges, too, from now on. */
  measure(measure: Measure): void;
  /** Sends what waits. */
  stop(): Promise<void>;
}

export interface Telling {
  readonly log: Logger;
  readonly activities: Activities;
  /** Undefined unless an exporter is configured. */
  readonly telemetry: Telemetry | undefined;
}

/** What a program tells of itself: its log, its traces, its metrics. To be called when its settings were checked. */
export async function beginTelling(program: string): Promise<Telling> {
  const activities = new Activities();
  const log = programLog(program);
  logActivities(activities, log);
  // Its packages are loaded only where something is sent.
  const telemetry = sendsTelemetry()
    ? (await import('./telemetry.ts')).startTelemetry({ program, version: versionOfPackage(), activities, log })
    : undefined;
  return { log, activities, telemetry };
}

function versionOfPackage(): string {
  for (const up of ['..', '../..']) {
    try {
      return JSON.parse(readFileSync(join(import.meta.dirname, up, 'package.json'), 'utf8')).version;
    } catch {}
  }
  return 'unknown';
}
