/** Java's `Long.MAX_VALUE` stands for "no end", and Go's subscription versions are nanoseconds: both exceed 2^53 and neither needs its last digits. */
import type { ExtFields } from "../remoting/command.ts";

const MAX = Number.MAX_SAFE_INTEGER;

function clamp(text: string): string {
  if (!/^-?\d{16,19}$/.test(text)) return text;
  return String(Math.min(MAX, Math.max(-MAX, Number(text))));
}

/**
 * @param extFields as received
 * @param names fields whose value may be brought into the range of safe integers
 * @returns the fields, those clamped
 */
export function withSafeLongs(extFields: ExtFields, names: readonly string[]): ExtFields {
  const fields = new Map(extFields);
  for (const name of names) {
    const value = fields.get(name);
    if (value !== undefined) fields.set(name, clamp(value));
  }
  return fields;
}
