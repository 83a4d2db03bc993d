import { hashOfEvent } from '../event-hash.ts';
import { CannotOpenStore, DamagedEvent, type RecordedEvent } from '../port.ts';
import type { SqliteReader } from '../sqlite-reader.ts';
import { faultsIn } from './faults.ts';

/** @throws DamagedEvent */
export function mustBeAsWritten(event: RecordedEvent & Required<Pick<RecordedEvent, 'hash'>>): void {
  if (Buffer.compare(event.hash, hashOfEvent(event)) !== 0) throw new DamagedEvent(event);
}

/** Before another log is made of this one. @throws CannotOpenStore */
export function mustBeComplete(database: SqliteReader, directory: string): void {
  const [fault] = faultsIn(database);
  if (fault === undefined) return;
  throw new CannotOpenStore('damaged', `${directory} is damaged: ${fault}: restore the log from a backup`);
}
