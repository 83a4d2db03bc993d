/**
 * Divides units among workers: each unit has one worker, and the numbers of units of two workers differ by at most one.
 * Every worker that knows the same workers and units computes the same division.
 */
export function sharesOf(units: Iterable<string>, workers: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const inOrder = [...new Set(workers)].sort();
  const shares = new Map<string, string[]>(inOrder.map((worker) => [worker, []]));
  if (inOrder.length === 0) return shares;
  for (const [index, unit] of [...new Set(units)].sort().entries())
    shares.get(inOrder[index % inOrder.length] as string)?.push(unit);
  return shares;
}
