/** What a parsed SQL92 filter is made of (remoting-protocol 4.2.7). Three-valued: true, false and unknown, plus "cannot be evaluated". */
import type { JavaNumber } from "./java-number.ts";

/** A literal's value. */
export type Constant = null | boolean | string | JavaNumber;

export type Comparison = "=" | ">" | ">=" | "<" | "<=";

export type Expression =
  | { readonly kind: "property"; readonly slot: number; readonly name: string }
  | { readonly kind: "constant"; readonly value: Constant }
  | { readonly kind: "negate"; readonly operand: Expression }
  | {
      readonly kind: "compare";
      readonly comparison: Comparison;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "not"; readonly operand: Expression }
  /** A property where a truth value is wanted: texts are never true. */
  | { readonly kind: "cast"; readonly operand: Expression }
  | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: "in";
      readonly slot: number;
      readonly values: ReadonlySet<string>;
      readonly isNegated: boolean;
    };

/** @returns true when it has a truth value by itself: the literals TRUE, FALSE and NULL count, a property does not */
export function isBoolean(expression: Expression): boolean {
  switch (expression.kind) {
    case "constant":
      return expression.value === null || typeof expression.value === "boolean";
    case "property":
    case "negate":
      return false;
    case "compare":
    case "not":
    case "cast":
    case "and":
    case "or":
    case "in":
      return true;
  }
}

/** @returns it as it would be written, for messages */
export function describe(expression: Expression): string {
  switch (expression.kind) {
    case "property":
      return expression.name;
    case "constant":
      return describeConstant(expression.value);
    case "negate":
      return `-${describe(expression.operand)}`;
    case "compare":
    case "not":
    case "cast":
    case "and":
    case "or":
    case "in":
      return "a condition";
  }
}

function describeConstant(value: Constant): string {
  if (value === null) return "NULL";
  if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  return value.kind === "double" ? String(value.value) : value.digits;
}
