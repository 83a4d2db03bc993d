import { type DestinationStream, type Logger, pino } from 'pino';
import type { Activities, Activity } from '#domain/kernel/activities';
import { withoutPasswords } from '#domain/kernel/connection-string';
import { errorTextOf } from '#domain/kernel/error-texts';
import { standardError } from './standard-error.ts';
import { escapedJson } from './terminal-text.ts';

interface LogOptions {
  /** Default: `LEADGER_LOG_LEVEL`, else `warn`. */
  readonly level?: string;
  /** Default: standard error. */
  readonly to?: DestinationStream;
}

/** The structured log of a program: JSON lines, without personal data and passwords. */
export const programLog = (program: string, { level, to }: LogOptions = {}): Logger =>
  pino(
    {
      level: level ?? process.env.LEADGER_LOG_LEVEL ?? 'warn',
      base: { program, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: (line) => withoutPersons(escapedJson(withoutPasswords(line))) },
      serializers: { err: errorTextOf },
    },
    to ?? standardError,
  );

const ADDRESS = /(?<![^\s"'<>@:])[^\s"'<>@:]+@[^\s"'<>@:]+\.[^\s"'<>@:,;)\\]+/g;
const TELEPHONE = /\+\d[\d ().-]{6,}\d/g;

/** The last barrier, behind the rule that nothing personal is logged: what looks like an address or a telephone number. */
const withoutPersons = (line: string): string => line.replace(ADDRESS, '***').replace(TELEPHONE, '***');

/** Writes what a program tells of itself into its log. @returns a function that ends it */
export const logActivities = (activities: Activities, log: Logger): (() => void) =>
  activities.listen((activity) => {
    const level = levelOf(activity);
    if (log.isLevelEnabled(level)) log[level](lineOf(activity), `${activity.name}: ${activity.outcome}`);
  });

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

const usualLevel: Readonly<Record<Activity['kind'], Level>> = {
  request: 'info',
  command: 'debug',
  append: 'debug',
  process: 'debug',
  effect: 'info',
  'read-model': 'info',
  row: 'trace',
  import: 'info',
  'support-mail': 'info',
  'lead-form': 'debug',
  cli: 'info',
};

/**
 * A failure that lasts is written at its first, second, fourth, eighth attempt and so on: an outage does not fill a disk. Its end
 * is written, too.
 */
function levelOf({ kind, outcome, attempt, reason, parent }: Activity): Level {
  if ((outcome === 'parked' || outcome === 'given-up') && reason !== undefined) return 'error';
  // Staff find it on the list of attention. What a rule refuses is everyday business.
  if (kind === 'effect' && outcome === 'refused') return 'warn';
  if (kind === 'effect' && outcome === 'done' && attempt !== undefined && attempt > 1) return 'warn';
  if (outcome !== 'failed') return usualLevel[kind];
  // The process, or its call to the outside, tells it.
  if ((kind === 'process' && reason === undefined) || (kind === 'command' && parent?.kind === 'process'))
    return 'debug';
  return attempt === undefined || Number.isInteger(Math.log2(attempt)) ? 'warn' : 'info';
}

function lineOf(activity: Activity): object {
  const { kind, name, outcome, reason, id, correlationId, stream, attempt, startedAt, endedAt, details } = activity;
  const milliseconds = Math.round((endedAt - startedAt) * 10) / 10;
  return { kind, name, outcome, reason, correlationId, id, stream, attempt, milliseconds, ...details };
}
