/**
 * Numbers as a JVM reads and orders them: SQL92 filters of 4.9 compare with `Integer.valueOf`, `Long.valueOf` and `Double.valueOf` of a property's
 * text, and what these refuse decides which messages match. Longs keep their digits, so that nothing is rounded and no BigInt is made per message.
 */

/** A number of an expression, with the class Java gives it. */
export interface JavaNumber {
  readonly kind: "int" | "long" | "double";
  /** Rounded for a long beyond 2^53: only compared with doubles, as Java does. */
  readonly value: number;
  /** Of an int or a long: sign and digits without leading zeros. */
  readonly digits: string;
}

const INT_MAX = 2_147_483_647;
const LONG_MAX = "9223372036854775807";
const LONG_MIN = "-9223372036854775808";

/** The zero of every block of ten decimal digits that one `char` can hold: `Character.digit` takes them all. */
const DIGIT_ZEROS = Uint16Array.from(
  (
    "30 660 6f0 7c0 966 9e6 a66 ae6 b66 be6 c66 ce6 d66 de6 e50 ed0 f20 1040 1090 17e0 1810 1946 19d0 1a80 1a90 1b50 1bb0 1c40 1c50 " +
    "a620 a8d0 a900 a9d0 a9f0 aa50 abf0 ff10"
  ).split(" "),
  (zero) => Number.parseInt(zero, 16),
);

/** @returns 0 to 9 of a UTF-16 unit, or -1 when it is no decimal digit of any script */
function digitOf(unit: number): number {
  const ascii = unit - 0x30;
  if (ascii >= 0 && ascii <= 9) return ascii;
  if (unit < 0x660) return -1;
  for (const zero of DIGIT_ZEROS) {
    if (unit >= zero && unit < zero + 10) return unit - zero;
  }
  return -1;
}

/** Orders two normalised integers by their digits. @returns below, equal to or above 0 */
export function compareDigits(left: string, right: string): number {
  const isNegative = left.startsWith("-");
  if (isNegative !== right.startsWith("-")) return isNegative ? -1 : 1;
  const byLength = left.length - right.length;
  const byDigits = left < right ? -1 : left > right ? 1 : 0;
  const order = byLength === 0 ? byDigits : byLength;
  return isNegative ? 0 - order : order;
}

/** @returns where the digits of an integer begin: behind its sign, if it has one */
function digitsStart(text: string): number {
  const first = text.charCodeAt(0);
  return first === 0x2d || first === 0x2b ? 1 : 0;
}

function isLong(digits: string): boolean {
  return compareDigits(digits, LONG_MAX) <= 0 && compareDigits(digits, LONG_MIN) >= 0;
}

/**
 * What `Long.parseLong` makes of a text: one sign, decimal digits of any script, no blanks, in range.
 * @returns sign and digits without leading zeros, or null where Java throws
 */
export function parseJavaLong(text: string): string | null {
  const start = digitsStart(text);
  if (text.length === start) return null;
  let digits = "";
  for (let i = start; i < text.length && digits.length <= LONG_MAX.length; i += 1) {
    const digit = digitOf(text.charCodeAt(i));
    if (digit < 0) return null;
    if (digits !== "" || digit !== 0) digits += String(digit);
  }
  if (digits === "") return "0";
  const normal = text.startsWith("-") ? `-${digits}` : digits;
  return isLong(normal) ? normal : null;
}

/**
 * What `Integer.parseInt` makes of a text.
 * @returns the number, or null where Java throws
 */
export function parseJavaInt(text: string): number | null {
  const start = digitsStart(text);
  if (text.length === start) return null;
  let value = 0;
  for (let i = start; i < text.length; i += 1) {
    const digit = digitOf(text.charCodeAt(i));
    if (digit < 0) return null;
    value = value * 10 + digit;
    if (value > INT_MAX + 1) return null;
  }
  if (text.startsWith("-")) return 0 - value;
  return value > INT_MAX ? null : value;
}

const DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const HEX = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?[0-9]+)$/;
const NAMED: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["+NaN", Number.NaN],
  ["-NaN", Number.NaN],
  ["Infinity", Infinity],
  ["+Infinity", Infinity],
  ["-Infinity", -Infinity],
]);

/** `String.trim` of Java: everything up to U+0020 goes, at both ends. */
function javaTrim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 0x20) start += 1;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end -= 1;
  return text.slice(start, end);
}

/** Hexadecimal digits taken into one half of a mantissa: 48 bits, exact in a double. */
const HALF_DIGITS = 12;

/** Rounds once: both halves are exact, and what stands behind them only decides ties. */
function hexMantissa(digits: string): number {
  const head = digits.slice(0, HALF_DIGITS).padEnd(HALF_DIGITS, "0");
  const tail = digits.slice(HALF_DIGITS, 2 * HALF_DIGITS).padEnd(HALF_DIGITS, "0");
  const isSticky = /[^0]/.test(digits.slice(2 * HALF_DIGITS));
  const low = Number.parseInt(tail, 16);
  return Number.parseInt(head, 16) * 2 ** 48 + (isSticky && low % 2 === 0 ? low + 1 : low);
}

function parseHexDouble(text: string): number | null {
  const found = HEX.exec(text);
  if (found === null) return null;
  const [, sign = "", whole = "", fraction = "", power = "0"] = found;
  if (whole === "" && fraction === "") return null;
  const digits = (whole + fraction).replace(/^0+/, "");
  const leadingZeros = whole.length + fraction.length - digits.length;
  let value = hexMantissa(digits);
  // The mantissa stands for 24 digits, of which `whole` (less the zeros dropped) are in front of the point.
  let exponent = Number(power) + 4 * (whole.length - leadingZeros - 2 * HALF_DIGITS);
  exponent = Math.max(-4_000, Math.min(4_000, exponent));
  for (; exponent > 1_000; exponent -= 1_000) value *= 2 ** 1_000;
  for (; exponent < -1_000; exponent += 1_000) value *= 2 ** -1_000;
  value *= 2 ** exponent;
  return sign === "-" ? -value : value;
}

/**
 * What `Double.valueOf` makes of a text: blanks around it, a type letter behind it, NaN, Infinity and hexadecimal included.
 * @returns the number, or null where Java throws
 */
export function parseJavaDouble(text: string): number | null {
  const trimmed = javaTrim(text);
  const named = NAMED.get(trimmed);
  if (named !== undefined) return named;
  const last = trimmed.charCodeAt(trimmed.length - 1) | 0x20;
  const bare = last === 0x64 || last === 0x66 ? trimmed.slice(0, -1) : trimmed;
  if (DECIMAL.test(bare)) return Number(bare);
  return parseHexDouble(bare);
}

/** `Double.compare`: NaN equals itself and is above all, -0.0 is below 0.0. @returns -1, 0 or 1 */
export function compareDoubles(left: number, right: number): number {
  if (left < right) return -1;
  if (left > right) return 1;
  if (Object.is(left, right)) return 0;
  if (Number.isNaN(left)) return 1;
  return Number.isNaN(right) || Object.is(left, -0) ? -1 : 1;
}

/** @param digits normalised, within the range of a long @returns an int where it fits one, as 4.9's parser makes it */
export function integerOf(digits: string): JavaNumber {
  const value = Number(digits);
  const kind = value >= -INT_MAX - 1 && value <= INT_MAX ? "int" : "long";
  return { kind, value, digits };
}

/** @returns a double */
export function doubleOf(value: number): JavaNumber {
  return { kind: "double", value, digits: "" };
}

/** Unary minus; the class stays (-2147483648 is a long: its digits were one before the sign was seen). */
export function negateNumber({ kind, value, digits }: JavaNumber): JavaNumber {
  if (kind === "double") return doubleOf(-value);
  if (digits === "0") return { kind, value, digits };
  return { kind, value: -value, digits: digits.startsWith("-") ? digits.slice(1) : `-${digits}` };
}
