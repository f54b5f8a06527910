/** @param ms by how much a clock is ahead @returns `+120.0 s` for people */
export function shiftText(ms: number): string {
  const seconds = (Math.abs(ms) / 1_000).toFixed(1);
  return `${ms < 0 ? "-" : "+"}${seconds} s`;
}
