/**
 * Adjusted p-values of Benjamini & Hochberg, J. R. Stat. Soc. B 57 (1995) 289, in the order given. Rejecting
 * those at or below q bounds the share of false alarms by q; when nothing has drifted, the chance of any alarm at
 * all is at most q (equal to q for independent, continuous tests).
 */
export const benjaminiHochberg = (pValues: readonly number[]): number[] => {
  const order = pValues.map((_, i) => i).sort((a, b) => (pValues[b] ?? 1) - (pValues[a] ?? 1));
  const adjusted = new Array<number>(pValues.length).fill(1);
  let smallest = 1;
  order.forEach((index, fromLargest) => {
    const rank = pValues.length - fromLargest;
    smallest = Math.min(smallest, ((pValues[index] ?? 1) * pValues.length) / rank);
    adjusted[index] = smallest;
  });
  return adjusted;
};
