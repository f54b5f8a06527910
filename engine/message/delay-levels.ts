import { EngineError } from "../base/engine-error.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * @param text value of messageDelayLevel: `1s 5s 10s …`, level 1 first (store-and-ha 6.1)
 * @returns delay of each level in ms
 * @throws EngineError MESSAGE_INVALID naming the word that is no delay
 */
export function parseDelayLevels(text: string): readonly number[] {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => {
      const match = /^(\d{1,6})([smhd])$/.exec(word);
      const unit = UNIT_MS[match?.[2] ?? ""];
      if (match === null || unit === undefined) {
        throw new EngineError("MESSAGE_INVALID", {
          message: `messageDelayLevel: "${word}" is no delay`,
          hint: "write a number and s, m, h or d, for example 10s",
        });
      }
      return Number(match[1]) * unit;
    });
}
