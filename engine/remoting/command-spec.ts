import { EngineError } from "../base/engine-error.ts";
import type { ExtFields } from "./command.ts";

/**
 * The wire table as data: one declaration per request gives decoder, encoder and types (style habit 2).
 * Every header value is text on the wire (remoting-protocol 1.2); `wire` is the short name where a code has one.
 */
export type FieldKind = "string" | "i32" | "i64" | "bool";

/** One header field. */
export interface Field<Kind extends FieldKind = FieldKind, Required extends boolean = boolean> {
  readonly kind: Kind;
  readonly required: Required;
  readonly wire: string | undefined;
}

export type Fields = Readonly<Record<string, Field>>;

/** One request code: its number, name, and the header fields of both directions. */
export interface CommandSpec {
  readonly code: number;
  readonly name: string;
  readonly request: Fields;
  readonly response: Fields;
}

/** A required field. */
export function req<Kind extends FieldKind>(kind: Kind, wire?: string): Field<Kind, true> {
  return { kind, required: true, wire };
}

/** An optional field. */
export function opt<Kind extends FieldKind>(kind: Kind, wire?: string): Field<Kind, false> {
  return { kind, required: false, wire };
}

type ValueOf<Kind extends FieldKind> = Kind extends "string"
  ? string
  : Kind extends "bool"
    ? boolean
    : number;

type RequiredNames<F extends Fields> = {
  [K in keyof F]: F[K]["required"] extends true ? K : never;
}[keyof F];

/** The header as a value: long names, parsed types. */
export type HeaderOf<F extends Fields> = {
  readonly [K in RequiredNames<F>]: ValueOf<F[K]["kind"]>;
} & {
  readonly [K in Exclude<keyof F, RequiredNames<F>>]?: ValueOf<F[K]["kind"]> | undefined;
};

const INTEGER = /^-?(0|[1-9][0-9]*)$/;

function parseInteger(name: string, text: string, kind: "i32" | "i64"): number {
  const value = Number(text);
  const inRange = kind === "i64" ? Number.isSafeInteger(value) : value === (value | 0);
  if (!INTEGER.test(text) || !inRange) {
    throw new EngineError("REMOTING_HEADER_INVALID", {
      message: `the field <${name}> is not a valid ${kind}: ${text.slice(0, 40)}`,
    });
  }
  return value;
}

function parseValue(name: string, text: string, kind: FieldKind): string | number | boolean {
  switch (kind) {
    case "string":
      return text;
    case "bool":
      return text.toLowerCase() === "true";
    case "i32":
    case "i64":
      return parseInteger(name, text, kind);
  }
}

/**
 * @param fields the declaration
 * @param ext header fields as received
 * @returns the header under its long names; unknown fields are ignored
 * @throws EngineError REMOTING_HEADER_INVALID on a missing required field (F-15) or a bad number (F-16)
 */
export function decodeHeader<F extends Fields>(fields: F, ext: ExtFields): HeaderOf<F> {
  const header: Record<string, string | number | boolean> = {};
  for (const [name, field] of Object.entries(fields)) {
    const text = ext.get(field.wire ?? name);
    // 4.9.8 decodes a zero-length binary value as null: an empty number is a missing one (1.4).
    if (text === undefined || (text === "" && field.kind !== "string")) {
      if (field.required)
        throw new EngineError("REMOTING_HEADER_INVALID", {
          message: `the custom field <${name}> is null`,
        });
      continue;
    }
    header[name] = parseValue(name, text, field.kind);
  }
  return header as HeaderOf<F>;
}

/**
 * @param fields the declaration
 * @param header values by long name
 * @returns fields as they go on the wire; undefined values are left out
 */
export function encodeHeader<F extends Fields>(
  fields: F,
  header: HeaderOf<F>,
): Map<string, string> {
  const values = header as Readonly<Record<string, string | number | boolean | undefined>>;
  const ext = new Map<string, string>();
  for (const [name, field] of Object.entries(fields)) {
    const value = values[name];
    if (value !== undefined) ext.set(field.wire ?? name, String(value));
  }
  return ext;
}
