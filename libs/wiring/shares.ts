/**
 * Divides units among workers: each unit has one worker, and no worker has more than one unit more than another. All who
 * know the same workers and units come to the same division, whoever computes it.
 */
export function sharesOf(units: Iterable<string>, workers: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const inOrder = [...new Set(workers)].sort();
  const shares = new Map<string, string[]>(inOrder.map((worker) => [worker, []]));
  if (inOrder.length === 0) return shares;
  for (const [index, unit] of [...new Set(units)].sort().entries())
    shares.get(inOrder[index % inOrder.length] as string)?.push(unit);
  return shares;
}
