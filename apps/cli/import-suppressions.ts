import { OWN_REQUEST, type Suppression, sourceOf } from '#domain/leads/suppression';
import { readPersonFile } from '#requests/lead-files/person-file';
import type { PersonFileOptions } from '#requests/lead-files/person-header';
import type { PersonOfRow } from '#requests/lead-files/person-of-row';
import type { StoreLocation } from '#wiring/stores';
import { type FileImportOptions, type FileKind, importFile } from './import/file-import.ts';
import type { Report } from './import/intake.ts';

type ImportOptions = Omit<PersonFileOptions, 'format'> &
  FileImportOptions & {
    readonly suppression: Suppression;
    /** The list, by which it can be lifted. */
    readonly listId?: string;
  };

/**
 * Imports a list of persons who are not sold any more (DLV-12). Importing it again changes nothing.
 * @throws CommandFailed, CannotOpenStore
 */
export const importSuppressions = (location: StoreLocation, file: string, options: ImportOptions): Promise<void> =>
  importFile(location, file, options, personsIn(options));

type Person = Pick<PersonOfRow, 'telephones' | 'emails'>;

const personsIn = (options: ImportOptions): FileKind<{ readonly person: PersonOfRow }, Person> => {
  const { suppression, listId } = options;
  const by = { suppression, ...(listId !== undefined && { listId }) };
  return {
    name: 'persons',
    actor: 'staff:import',
    path: `/api/suppressions/batches?${new URLSearchParams(by)}`,
    read: (bytes, format, told) => readPersonFile(bytes, { ...options, format }, told),
    itemOf: ({ person: { notUnderstood, ...person } }) => ({
      item: person,
      incomplete: notUnderstood && `suppressed, but not by all: ${notUnderstood}`,
    }),
    namesOfCounts: { new: 'suppressed', known: 'known' },
    words: {
      new: 'persons suppressed',
      known: sourceOf(by) === OWN_REQUEST ? 'had opted out before' : 'were on the list before',
    },
    async receive({ suppressions }, items, context) {
      const persons = items.map((person) => ({ ...person, ...by }));
      return (await suppressions.suppress(persons, context)).map((isNew) => (isNew ? 'new' : 'known'));
    },
    reportIn(answer) {
      const { suppressed, known, rejected, rejections } = answer as Omit<Report, 'counts'> & Record<string, number>;
      return { counts: { new: suppressed ?? 0, known: known ?? 0, duplicate: 0 }, rejected, rejections };
    },
  };
};
