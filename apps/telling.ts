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
  if (process.env.LEADGER_LOG_LEVEL !== undefined) noticesInto(log);
  // Its packages are loaded only where something is sent.
  const telemetry = sendsTelemetry()
    ? (await import('./telemetry.ts')).startTelemetry({ program, version: versionOfPackage(), activities, log })
    : undefined;
  return { log, activities, telemetry };
}

/**
 * What else a program notices (a server that is away, a stream that is damaged) is a line for people, as long as nobody said that
 * something reads the log.
 */
function noticesInto(log: Logger): void {
  const plain = console.warn;
  console.warn = (...notice: unknown[]) => {
    const [line] = notice;
    if (typeof line === 'string' && line.startsWith('leadger: '))
      log.warn({ kind: 'notice' }, line.slice('leadger: '.length));
    else plain(...notice);
  };
}

function versionOfPackage(): string {
  for (const up of ['..', '../..']) {
    try {
      return JSON.parse(readFileSync(join(import.meta.dirname, up, 'package.json'), 'utf8')).version;
    } catch {}
  }
  return 'unknown';
}
