import { wrongInName } from '../kernel/text.ts';
import type { PolicyDocument } from './policy.ts';

/** A reason for a return, as a version of the policy lists it (RPL-3, RPL-4). */
export interface ReturnReason {
  readonly code: string;
  /** How customers see it. In versions without labels: the same as the code. */
  readonly label: string;
  readonly valid: boolean;
}

type ReasonLists = Pick<PolicyDocument, 'approvedReturnReasons' | 'invalidReturnReasons' | 'returnReasonLabels'>;

export function returnReasonsOf(lists: ReasonLists): readonly ReturnReason[] {
  const labelled = (valid: boolean) => (code: string) => ({
    code,
    label: lists.returnReasonLabels?.[code] ?? code,
    valid,
  });
  return [...lists.approvedReturnReasons.map(labelled(true)), ...lists.invalidReturnReasons.map(labelled(false))];
}

/** The reason that a request names, by its code or by its label. */
export const returnReasonNamed = (lists: ReasonLists, asked: string): ReturnReason | undefined =>
  returnReasonsOf(lists).find((reason) => namesReason(asked, reason));

export const namesReason = (asked: string, { code, label }: Pick<ReturnReason, 'code' | 'label'>): boolean =>
  foldReason(asked) === foldReason(code) || foldReason(asked) === foldReason(label);

/** Upper and lower case are no difference, nor is a hyphen for a space. */
const foldReason = (text: string): string => text.toLowerCase().replaceAll('-', ' ');

/** What is wrong with a name that a policy lists: two that look the same would differ, or nobody sees it. */
export function uncleanIn(name: string): string | undefined {
  if (name.trim() !== name) return `has ${JSON.stringify(name)}, which begins or ends with space`;
  const wrong = wrongInName(name);
  return wrong === undefined ? undefined : `has ${JSON.stringify(name)}, which ${wrong}`;
}

type Contradiction = readonly [fields: readonly [keyof ReasonLists, ...(keyof ReasonLists)[]], why: string];

/** Two reasons that a request could not tell apart. Labels of reasons that are not listed are for later, or for none. */
export function contradictionInReasons(lists: ReasonLists): Contradiction | undefined {
  const all = returnReasonsOf(lists);
  for (const reason of all) {
    const { code, label, valid } = reason;
    const unclean = uncleanIn(label);
    if (unclean !== undefined) return [['returnReasonLabels'], unclean];
    const other = all.find((one) => one !== reason && [one.code, one.label].some((name) => namesReason(name, reason)));
    if (!other) continue;
    if (other.valid !== valid)
      return [
        ['approvedReturnReasons', 'invalidReturnReasons', 'returnReasonLabels'],
        `and invalidReturnReasons both name "${other.code}"`,
      ];
    return [
      ['returnReasonLabels', valid ? 'approvedReturnReasons' : 'invalidReturnReasons'],
      `and the codes name "${code}" and "${other.code}" alike`,
    ];
  }
  return undefined;
}
