/** Times as people write them, and as results show them. */
import { EngineError } from "../../../engine/base/engine-error.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * @param text `2026-11-28T10:00:00Z`, `2026-11-28 10:00` (local time), milliseconds since 1970, or `10m` and `10m ago`
 * @param option whose value it is, for the error
 * @returns milliseconds since 1970
 * @throws EngineError CLI_USAGE
 */
export function parseWhen(text: string, option: string, nowMs = Date.now()): number {
  const [, amount, unit] = /^(\d{1,6})([smhd])(?:\s+ago)?$/.exec(text.trim()) ?? [];
  if (amount !== undefined) return nowMs - Number(amount) * (UNIT_MS[unit ?? "s"] ?? 0);
  const at = /^\d{10,16}$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isNaN(at) && /\d{4}/.test(text)) return at;
  throw new EngineError("CLI_USAGE", {
    message: `${option}: "${text}" is no time`,
    hint: "for example 2026-11-28T10:00:00Z, 1795360000000 or 10m (ten minutes ago)",
  });
}

/** @returns ISO 8601, or null where the broker has none to tell (0 and below) */
export function instant(ms: number): string | null {
  return ms > 0 ? new Date(ms).toISOString() : null;
}
