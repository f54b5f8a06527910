/**
 * @param left one word
 * @param right another
 * @returns true when they differ by one character inserted, left out or replaced, by two neighbours swapped, or in letter case only
 */
export function isOneEditAway(left: string, right: string): boolean {
  const [short, long] = [left.toLowerCase(), right.toLowerCase()].toSorted(
    (a, b) => a.length - b.length,
  ) as [string, string];
  let same = 0;
  while (same < short.length && short[same] === long[same]) same += 1;
  const shortRest = short.slice(same);
  const longRest = long.slice(same);
  if (short.length !== long.length) return longRest.slice(1) === shortRest;
  const isSwapped =
    shortRest[0] === longRest[1] && shortRest[1] === longRest[0] && shortRest.length > 1;
  return (
    shortRest.slice(1) === longRest.slice(1) ||
    (isSwapped && shortRest.slice(2) === longRest.slice(2))
  );
}
