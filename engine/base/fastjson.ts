/**
 * The JSON dialect of RocketMQ 4.9's bodies and config files, as fastjson writes and reads it (remoting-protocol 2):
 * strict JSON plus unquoted integer keys `{0:"x"}` and objects as keys `{{"queueId":0}:5}`. Objects are Maps, so `__proto__` is plain
 * data (F-10); integers beyond 2^53 become bigint, so no 64-bit value is rounded.
 */
import { EngineError } from "./engine-error.ts";

/** A map whose keys are objects: pairs in order of appearance. */
export class JsonPairs {
  readonly pairs: readonly (readonly [JsonValue, JsonValue])[];

  /** @param pairs key and value of each entry */
  constructor(pairs: readonly (readonly [JsonValue, JsonValue])[]) {
    this.pairs = pairs;
  }
}

export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | JsonObject
  | JsonPairs;

/** Deepest nesting accepted (F-18). */
const DEPTH_MAX = 32;
/** Longest array or map accepted (F-18). */
const ELEMENTS_MAX = 100_000;

const SPACE = /[ \t\n\r]/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;

class Parser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  parseAll(): JsonValue {
    const value = this.parseValue(0);
    this.skipSpace();
    if (this.at < this.text.length) this.fail("text after the end");
    return value;
  }

  private fail(what: string): never {
    const near = this.text.slice(Math.max(0, this.at - 10), this.at + 20);
    throw new EngineError("JSON_INVALID", {
      message: `${what} at character ${this.at}, near ${JSON.stringify(near)}`,
    });
  }

  private skipSpace(): void {
    SPACE.lastIndex = this.at;
    while (SPACE.test(this.text)) this.at = SPACE.lastIndex;
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }

  private parseValue(depth: number): JsonValue {
    if (depth > DEPTH_MAX) this.fail("nested too deep");
    this.skipSpace();
    const first = this.text[this.at];
    if (first === "{") return this.parseObject(depth);
    if (first === "[") return this.parseArray(depth);
    if (first === '"') return this.parseString();
    const word = this.match(WORD);
    if (word !== null) return word === "null" ? null : word === "true";
    return this.parseNumber();
  }

  private parseNumber(): number | bigint {
    const digits = this.match(NUMBER);
    if (digits === null) this.fail("no JSON value");
    const value = Number(digits);
    const isInteger = /^-?\d+$/.test(digits);
    return isInteger && !Number.isSafeInteger(value) ? BigInt(digits) : value;
  }

  private parseString(): string {
    const quoted = this.match(STRING);
    if (quoted === null) this.fail("string without end");
    if (!quoted.includes("\\")) return quoted.slice(1, -1);
    try {
      return JSON.parse(quoted) as string;
    } catch {
      return this.fail("bad escape in a string");
    }
  }

  private parseArray(depth: number): JsonValue[] {
    this.at += 1;
    const values: JsonValue[] = [];
    this.skipSpace();
    if (this.text[this.at] === "]") {
      this.at += 1;
      return values;
    }
    for (;;) {
      values.push(this.parseValue(depth + 1));
      if (values.length > ELEMENTS_MAX) this.fail("too many elements");
      if (this.closes("]")) return values;
    }
  }

  /** After an element: true at the closing bracket, false after a comma. */
  private closes(bracket: string): boolean {
    this.skipSpace();
    const next = this.text[this.at];
    if (next !== "," && next !== bracket) this.fail(`expected , or ${bracket}`);
    this.at += 1;
    return next === bracket;
  }

  private parseObject(depth: number): JsonObject | JsonPairs {
    this.at += 1;
    const pairs: [JsonValue, JsonValue][] = [];
    this.skipSpace();
    if (this.text[this.at] === "}") {
      this.at += 1;
      return new Map();
    }
    for (;;) {
      const key = this.parseKey(depth);
      this.skipSpace();
      if (this.text[this.at] !== ":") this.fail("expected :");
      this.at += 1;
      pairs.push([key, this.parseValue(depth + 1)]);
      if (pairs.length > ELEMENTS_MAX) this.fail("too many entries");
      if (this.closes("}")) break;
    }
    const isPlain = pairs.every(([key]) => typeof key === "string");
    return isPlain ? new Map(pairs as [string, JsonValue][]) : new JsonPairs(pairs);
  }

  private parseKey(depth: number): JsonValue {
    this.skipSpace();
    const first = this.text[this.at];
    if (first === '"') return this.parseString();
    if (first === "{") return this.parseObject(depth + 1);
    const digits = this.match(NUMBER);
    if (digits === null) this.fail("expected a key");
    return digits;
  }
}

/**
 * @param text JSON as Java or Go writes it
 * @returns the value
 * @throws EngineError JSON_INVALID with the position
 */
export function parseFastjson(text: string): JsonValue {
  return new Parser(text).parseAll();
}

/** @returns the value as an object; an empty one when it is none */
export function asObject(value: JsonValue | undefined): JsonObject {
  return value instanceof Map ? (value as JsonObject) : new Map();
}

/** @returns the value as an array; an empty one when it is none */
export function asArray(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

/** Entries of a map whose keys are objects, raw or stringified (2.4). */
export function asPairs(value: JsonValue | undefined): (readonly [JsonObject, JsonValue])[] {
  if (value instanceof JsonPairs) return value.pairs.map(([key, item]) => [keyObject(key), item]);
  return [...asObject(value)].map(([key, item]) => [keyObject(key), item]);
}

function keyObject(key: JsonValue): JsonObject {
  if (typeof key === "string" && key.startsWith("{")) return asObject(parseFastjson(key));
  return asObject(key);
}

/** @returns the text; numbers and booleans as Java prints them; `fallback` for null or missing */
export function asText(value: JsonValue | undefined, fallback = ""): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean")
    return String(value);
  return fallback;
}

/** @returns the number (also of a numeric string); bigints beyond 2^53 are rounded: use only where that is harmless */
export function asNumber(value: JsonValue | undefined, fallback = 0): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)))
    return Number(value);
  return fallback;
}

/** @returns the boolean (also of "true"/"false" in any case) */
export function asBoolean(value: JsonValue | undefined, fallback = false): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") return value.toLowerCase() === "true";
  return fallback;
}

/**
 * Enums come by name in any letter case, or by ordinal (2.2).
 * @param names in ordinal order
 */
export function asEnum<Name extends string>(
  value: JsonValue | undefined,
  names: readonly Name[],
  fallback: Name,
): Name {
  if (typeof value === "number") return names[value] ?? fallback;
  const text = asText(value).toUpperCase();
  return names.find((name) => name.toUpperCase() === text) ?? fallback;
}

/** What the writer takes: plain objects are written with their members sorted, as fastjson does. */
export type Writable =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | readonly Writable[]
  | { readonly [name: string]: Writable }
  | ReadonlyMap<number, Writable>
  | ReadonlyMap<string, Writable>
  | WritablePairs;

/** A map to be written with object keys (2.4). */
export class WritablePairs {
  readonly pairs: readonly (readonly [Writable, Writable])[];

  /** @param pairs key object and value of each entry */
  constructor(pairs: readonly (readonly [Writable, Writable])[]) {
    this.pairs = pairs;
  }
}

function writeEntries(entries: Iterable<readonly [string, Writable]>): string {
  const parts: string[] = [];
  for (const [key, value] of entries) {
    if (value !== undefined && value !== null) parts.push(`${key}:${writeFastjson(value)}`);
  }
  return `{${parts.join(",")}}`;
}

function writeObject(value: object): string {
  if (value instanceof WritablePairs) {
    return writeEntries(value.pairs.map(([key, item]) => [writeFastjson(key), item] as const));
  }
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string | number, Writable>)];
    return writeEntries(
      entries.map(
        ([key, item]) =>
          [typeof key === "number" ? String(key) : JSON.stringify(key), item] as const,
      ),
    );
  }
  const members = Object.entries(value as { readonly [name: string]: Writable });
  const sorted = members.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return writeEntries(sorted.map(([key, item]) => [JSON.stringify(key), item] as const));
}

/**
 * Compact JSON as fastjson writes it: members sorted by name, null members left out, integer keys unquoted.
 * Maps keep their order; a Map with number keys gets unquoted keys.
 * @param value what to write
 */
export function writeFastjson(value: Writable): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${(value as readonly Writable[]).map(writeFastjson).join(",")}]`;
  return writeObject(value);
}
