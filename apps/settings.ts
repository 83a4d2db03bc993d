import { LeadgerError } from '#domain/kernel/leadger-error';
import { type SettingName, settingNames, settingOf } from './configuration.ts';

/** A program was called with wrong options. The message is printed in one line. */
export class UsageError extends LeadgerError {
  constructor(message: string) {
    super('usage', message);
  }
}

/**
 * Checks all settings before anything is opened, because no waiting mends them.
 * @throws UsageError
 */
export function checkEnvironment(env: NodeJS.ProcessEnv = process.env): void {
  for (const name of settingNames) {
    const wrong = wrongIn(name, env[name]);
    if (wrong !== undefined) throw new UsageError(wrong);
  }
}

/**
 * What is wrong with a setting, without what was written where that may be a secret. An empty one is refused: who writes
 * `HOST=` or `LEADGER_EVENTS=` has lost a value, and its default would be another address or another log. Who uses a value
 * later checks the rest of it.
 */
export function wrongIn(name: SettingName, written: string | undefined): string | undefined {
  const { fits, isLike, holds } = settingOf(name);
  if (written === undefined) return undefined;
  if (written.trim() === '') return emptied(name);
  if (fits(written)) return undefined;
  return holds ? `${name} is not ${isLike}` : `${name}: ${written} is not ${isLike}`;
}

const emptied = (name: string): string => `${name} is empty: give it a value, or leave it out`;

/** @throws UsageError */
export function mustNotBeEmpty(name: string, written: string | undefined): void {
  if (written?.trim() === '') throw new UsageError(emptied(name));
}

const ENDPOINTS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
];

/** Traces and metrics are sent only where an exporter is configured. */
export const sendsTelemetry = (env: NodeJS.ProcessEnv = process.env): boolean =>
  env.OTEL_SDK_DISABLED !== 'true' && ENDPOINTS.some((name) => (env[name] ?? '') !== '');

/** What a setting says, or what counts where it is not set. */
export const settingIn = (name: SettingName, env: NodeJS.ProcessEnv = process.env): string | undefined =>
  env[name] ?? settingOf(name).usual;

/** A setting that is a number, with a usual value. It was checked before. */
export const numberIn = (name: SettingName): number => Number(settingIn(name));
