import { valueIn } from '../kernel/table.ts';
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
  const labels = lists.returnReasonLabels ?? {};
  const labelled = (valid: boolean) => (code: string) => ({ code, label: valueIn(labels, code) ?? code, valid });
  return [...lists.approvedReturnReasons.map(labelled(true)), ...lists.invalidReturnReasons.map(labelled(false))];
}

/** The reason that a request names, by its code or by its label. */
export const returnReasonNamed = (lists: ReasonLists, asked: string): ReturnReason | undefined =>
  returnReasonsOf(lists).find((reason) => namesReason(asked, reason));

export const namesReason = (asked: string, { code, label }: Pick<ReturnReason, 'code' | 'label'>): boolean =>
  foldReason(asked) === foldReason(code) || foldReason(asked) === foldReason(label);

/** Upper and lower case are no difference, nor is a hyphen for a space. */
const foldReason = (text: string): string => text.toLowerCase().replaceAll('-', ' ');

/** Two reasons that a request could not tell apart. Labels of reasons that are not listed are for later, or for none. */
export function contradictionInReasons(lists: ReasonLists): [field: keyof ReasonLists, why: string] | undefined {
  const all = returnReasonsOf(lists);
  for (const reason of all) {
    const { code, label, valid } = reason;
    if (label.trim() !== label)
      return ['returnReasonLabels', `has ${JSON.stringify(label)}, which begins or ends with space`];
    const other = all.find((one) => one !== reason && [one.code, one.label].some((name) => namesReason(name, reason)));
    if (!other) continue;
    if (other.valid !== valid) return ['approvedReturnReasons', `and invalidReturnReasons both name "${other.code}"`];
    return ['returnReasonLabels', `and the codes name "${code}" and "${other.code}" alike`];
  }
  return undefined;
}
