import { textOfCell } from '#domain/kernel/spreadsheet-cells';
import { NAMES_OF_ALL_OBJECTS } from '#domain/kernel/table';
import { withCountry } from '#domain/leads/telephone';
import type { Column } from './column-names.ts';
import { splitName } from './full-name.ts';
import { type Header, nameOf } from './header.ts';

type Text = Exclude<Column, 'fullName' | 'extraFields'>;
type Values = Partial<Record<Text, string>> & { extraFields?: Readonly<Record<string, string>> };

/** What the cells of a row say, by field, or why they cannot be read. */
export function valuesOf(header: Header, cells: readonly string[]): Values | string {
  const text = (index: number) => textOfCell((cells[index] ?? '').trim()).trim();
  const { extraFields: written, fullName, ...texts } = readColumns(header, text);
  const values = onOneLine(texts);
  const extra = extraFieldsOf(header, text, written);
  if (typeof extra === 'string') return extra;
  const { firstName, lastName } = values;
  return {
    ...values,
    ...(fullName && !firstName && !lastName && splitName(fullName)),
    ...(values.telephone && { telephone: withCountry(withoutMark(values.telephone), header.country) }),
    ...(values.postalCode && { postalCode: withoutMark(values.postalCode) }),
    ...(Object.keys(extra).length > 0 && { extraFields: extra }),
  };
}

/** Spreadsheets let people type ends of lines into every cell: a lead is not lost for one in a name. */
const onOneLine = ({
  address,
  comment,
  consentText,
  ...values
}: Partial<Record<Text, string>>): Partial<Record<Text, string>> => ({
  ...Object.fromEntries(
    Object.entries(values).map(([field, value]) => [
      field,
      value.replace(/\s+/g, (space) => (/[\t\r\n]/.test(space) ? ' ' : space)),
    ]),
  ),
  ...(address !== undefined && { address }),
  ...(comment !== undefined && { comment }),
  ...(consentText !== undefined && { consentText }),
});

type TextAt = (index: number) => string;

function readColumns({ fields, addresses, knownExport }: Header, text: TextAt): Partial<Record<Column, string>> {
  const first = (at: readonly number[]) => {
    const value = at.map(text).find((value) => value !== '');
    return knownExport?.between ? value?.split(knownExport.between)[0]?.trim() : value;
  };
  const read = (columns: ReadonlyMap<Column, readonly number[]>) =>
    Object.fromEntries([...columns].map(([column, at]) => [column, first(at)]).filter(([, value]) => value));
  const address = addresses.map(read).find((parts) => Object.keys(parts).length > 0);
  return { ...read(fields), ...address };
}

/** Lead ads mark what they export, so that spreadsheets keep it: p:+12125550142, z:10001. */
export const withoutMark = (text: string): string => text.replace(/^[pz]:\s*/i, '');

function extraFieldsOf(
  { names, kept }: Header,
  text: TextAt,
  written: string | undefined,
): Readonly<Record<string, string>> | string {
  const own = written === undefined ? {} : objectIn(written);
  if (typeof own === 'string') return own;
  const extra = new Map(Object.entries(own));
  for (const index of kept) {
    const value = text(index);
    const name = nameOf(names, index);
    if (NAMES_OF_ALL_OBJECTS.has(name)) return `the column "${name}" cannot be kept: give it another name`;
    if (value !== '') extra.set(extra.has(name) ? `${name} (${index + 1})` : name, value);
  }
  return Object.fromEntries(extra);
}

/** Extra fields as our own export writes them. */
function objectIn(written: string): Record<string, string> | string {
  try {
    const read: unknown = JSON.parse(written);
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as Record<string, string>;
  } catch {
    // It is said below.
  }
  return 'extraFields: is not an object in JSON';
}
