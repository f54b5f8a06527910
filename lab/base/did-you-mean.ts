/** Distance past which two words are no typing error of one another. */
const DISTANCE_MAX = 3;

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

function score(word: string, candidate: string): number {
  if (candidate.includes(word) && word.length >= 3) return 1;
  return distance(word.toLowerCase(), candidate.toLowerCase());
}

/**
 * @param word what the user typed
 * @param candidates what would be right
 * @returns the nearest ones, best first, at most three; none when nothing is near
 */
export function nearest(word: string, candidates: readonly string[]): readonly string[] {
  const bound = Math.min(DISTANCE_MAX, Math.ceil(word.length / 2));
  return candidates
    .map((candidate) => ({ candidate, score: score(word, candidate) }))
    .filter((entry) => entry.score <= bound)
    .toSorted((a, b) => a.score - b.score)
    .slice(0, 3)
    .map((entry) => entry.candidate);
}

/** @returns `did you mean A or B?`, or the given sentence when nothing is near */
export function suggestion(word: string, candidates: readonly string[], otherwise: string): string {
  const near = nearest(word, candidates);
  return near.length === 0 ? otherwise : `did you mean ${near.join(" or ")}?`;
}
