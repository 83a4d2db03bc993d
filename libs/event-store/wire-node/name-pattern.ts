import { status } from '@grpc/grpc-js';
import { ServerError, unexpected } from './server-errors.ts';

/** A name that is looked for: at the beginning, at the end, both (the whole), or anywhere. */
interface Alternative {
  readonly text: string;
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

/** Which names pass a filter. */
export interface NamePattern {
  passes(name: string): boolean;
  /** If these are all the names that pass. */
  readonly names?: readonly string[];
  /** If these are the beginnings of all the names that pass. */
  readonly prefixes?: readonly string[];
}

const NO_SYSTEM_NAMES = /^\^\[\^\\?\$\](?:\.[*+]\$?)?$/;
const SPECIAL = /[.*+?^${}()|[\]\\]/;

/**
 * Beginnings, ends and lists of names. Other regular expressions are refused: one of a client's could keep the node busy for
 * hours, and nobody else would be served.
 * @throws ServerError
 */
export function namePattern(regex: string): NamePattern {
  if (NO_SYSTEM_NAMES.test(regex)) return { passes: (name) => name !== '' && !name.startsWith('$') };
  const alternatives = alternativesOf(regex);
  if (!alternatives) throw refusalOf(regex);
  return {
    passes: (name) => alternatives.some((alternative) => matches(alternative, name)),
    ...(alternatives.every(({ atStart, atEnd }) => atStart && atEnd) && {
      names: alternatives.map(({ text }) => text),
    }),
    ...(alternatives.every(({ atStart, atEnd }) => atStart && !atEnd) && {
      prefixes: alternatives.map(({ text }) => text),
    }),
  };
}

export const prefixPattern = (prefixes: readonly string[]): NamePattern => ({
  passes: (name) => prefixes.some((prefix) => name.startsWith(prefix)),
  prefixes,
});

function matches({ text, atStart, atEnd }: Alternative, name: string): boolean {
  if (atStart) return atEnd ? name === text : name.startsWith(text);
  return atEnd ? name.endsWith(text) : name.includes(text);
}

function alternativesOf(regex: string): Alternative[] | undefined {
  const [, before = '', inGroup, after = ''] =
    /^(\^|\\A)?\((?:\?:)?((?:[^()\\]|\\.)*)\)(\$|\\z|\.\*)?$/s.exec(regex) ?? [];
  const parts = (inGroup ?? regex).replaceAll(/(\\.)|\|/gs, (_, escaped) => escaped ?? '\0').split('\0');
  const alternatives = parts.map((part) => alternativeOf(inGroup === undefined ? part : before + part + after));
  return alternatives.every((alternative) => alternative !== undefined) ? alternatives : undefined;
}

/** @returns undefined for what is more than a name between marks of its beginning and its end */
function alternativeOf(part: string): Alternative | undefined {
  const [, before, escaped = '', after] = /^(\^|\\A)?((?:[^\\]|\\.)*?)(\$|\\z|\.\*\$?)?$/s.exec(part) ?? [];
  if (SPECIAL.test(escaped.replaceAll(/\\[^\p{L}\p{N}]/gu, ''))) return undefined;
  const text = escaped.replaceAll(/\\(.)/gsu, '$1');
  return { text, atStart: before !== undefined, atEnd: after === '$' || after === '\\z' };
}

function refusalOf(regex: string): ServerError {
  try {
    new RegExp(regex.replace(/^\(\?[a-z]+\)/, ''));
  } catch {
    return unexpected();
  }
  const message = `This node serves regular expressions that are names, beginnings of names and lists of them, not ${JSON.stringify(regex)}.`;
  return new ServerError(status.INVALID_ARGUMENT, message);
}
