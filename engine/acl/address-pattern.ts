/**
 * Address patterns of plain_acl.yml (faults-and-security 8): one address; `a,b`; `a.b.c.{1,2}`; `a.b.c.1-100`; `a.b.c.*`, `a.b.*.*`; the same
 * with the groups of IPv6; `*` alone, `*.*.*.*` and `*:*:*:*:*:*:*:*` for every address.
 */
import { isIP } from "node:net";

/** True when the pattern covers the address, given without IPv4-mapped prefix. */
export type AddressPattern = (address: string) => boolean;

/** Lowest and highest value of one part of an address. */
type Range = readonly [number, number];

const EVERYONE: ReadonlySet<string> = new Set(["*", "*.*.*.*", "*:*:*:*:*:*:*:*"]);

interface Family {
  readonly separator: "." | ":";
  readonly parts: 4 | 8;
  readonly radix: 10 | 16;
  readonly max: number;
  readonly digits: RegExp;
}

const V4: Family = { separator: ".", parts: 4, radix: 10, max: 255, digits: /^\d{1,3}$/ };
const V6: Family = { separator: ":", parts: 8, radix: 16, max: 0xffff, digits: /^[0-9a-f]{1,4}$/i };

function familyOf(text: string): Family {
  return text.includes(":") ? V6 : V4;
}

/** Writes `::` out as zeros. @returns the parts as text, or null when their number is wrong */
function partsOf(text: string, family: Family): string[] | null {
  const halves = text.split("::");
  if (halves.length > 2 || (halves.length === 2 && family === V4)) return null;
  const [head = [], tail = []] = halves.map((half) =>
    half === "" ? [] : half.split(family.separator),
  );
  const missing = family.parts - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  return [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
}

function numberOf(text: string, family: Family): number | null {
  const value = family.digits.test(text) ? Number.parseInt(text, family.radix) : Number.NaN;
  return value <= family.max ? value : null;
}

function rangeOf(text: string, family: Family): Range | null {
  const part = text.trim();
  if (part === "*") return [0, family.max];
  const [low, high, ...more] = part.split("-").map((side) => numberOf(side.trim(), family));
  if (low === undefined || low === null || high === null || more.length > 0) return null;
  if (high === undefined) return [low, low];
  return low <= high ? [low, high] : null;
}

/** Ranges come last, as in 4.9: a part behind one that is not a single value must not be single either. */
function isTail(ranges: readonly Range[]): boolean {
  const first = ranges.findIndex(([low, high]) => low !== high);
  return (
    first !== 0 && (first === -1 || ranges.slice(first + 1).every(([low, high]) => low !== high))
  );
}

function rangesOf(text: string): readonly Range[] | null {
  const family = familyOf(text);
  const ranges = partsOf(text, family)?.map((part) => rangeOf(part, family)) ?? [null];
  const complete = ranges.filter((range) => range !== null);
  return complete.length === ranges.length && isTail(complete) ? complete : null;
}

function oneAddress(text: string): readonly Range[] | null {
  return isIP(text.trim()) === 0 ? null : rangesOf(text.trim());
}

/** The patterns that are meant by one text, or null when it is none. */
function alternatives(text: string): readonly (readonly Range[])[] | null {
  const braces = /^([^{}]*)\{([^{}]+)\}$/.exec(text);
  let all: readonly (readonly Range[] | null)[];
  if (braces !== null) {
    all = (braces[2] ?? "").split(",").map((part) => oneAddress(`${braces[1]}${part.trim()}`));
  } else if (text.includes(",")) all = text.split(",").map(oneAddress);
  else all = [rangesOf(text)];
  const good = all.filter((ranges) => ranges !== null);
  return good.length === all.length ? good : null;
}

/** @returns the parts of a peer's address, or null when it is none */
function addressParts(address: string): readonly number[] | null {
  const [plain = ""] = address.split("%");
  if (isIP(plain) === 0) return null;
  const family = familyOf(plain);
  const numbers = partsOf(plain, family)?.map((part) => numberOf(part, family)) ?? [null];
  const complete = numbers.filter((number) => number !== null);
  return complete.length === numbers.length ? complete : null;
}

/**
 * @param text one pattern, not blank
 * @returns a matcher, or null when the text is none of the forms above
 */
export function parseAddressPattern(text: string): AddressPattern | null {
  const trimmed = text.trim();
  if (EVERYONE.has(trimmed)) return () => true;
  const patterns = alternatives(trimmed);
  if (patterns === null) return null;
  return (address) => {
    const parts = addressParts(address);
    return (
      parts !== null &&
      patterns.some(
        (ranges) =>
          ranges.length === parts.length &&
          ranges.every(([low, high], i) => (parts[i] ?? -1) >= low && (parts[i] ?? -1) <= high),
      )
    );
  };
}
