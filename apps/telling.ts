import type { Logger } from 'pino';
import { Activities } from '#domain/kernel/activities';
import { logActivities, programLog } from './program-log.ts';

interface Telling {
  readonly log: Logger;
  readonly activities: Activities;
}

/** What a program tells of itself: its log. To be called when its settings were checked. */
export function beginTelling(program: string): Telling {
  const activities = new Activities();
  const log = programLog(program);
  logActivities(activities, log);
  return { log, activities };
}
