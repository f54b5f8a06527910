/**
 * How 4.9 compares two values that are not NULL. Texts become what stands on the other side; a text that does not (`'abc' = 1`, `'1.5' = 1`,
 * `'3000000000' = 1`) makes the whole filter impossible to evaluate for that message. Two texts have an order only as numbers.
 */
import { CANNOT, FALSE, TRUE, type Truth } from "./truth.ts";
import type { Comparison } from "./expression.ts";
import {
  compareDigits,
  compareDoubles,
  parseJavaDouble,
  parseJavaInt,
  parseJavaLong,
  type JavaNumber,
} from "./java-number.ts";

/** A value of a property or a literal, NULL aside. */
export type Value = boolean | string | JavaNumber;

/** Values of different kinds that have nothing in common stand in this order, as in 4.9. */
const BELOW = -1;

function compareNumbers(left: JavaNumber, right: JavaNumber): number {
  if (left.kind === "double" || right.kind === "double")
    return compareDoubles(left.value, right.value);
  return compareDigits(left.digits, right.digits);
}

/** @returns order of the text's number to the right one, or null when the text is none of its class */
function compareTextTo(text: string, right: JavaNumber): number | null {
  if (right.kind === "int") {
    const value = parseJavaInt(text);
    return value === null ? null : value - right.value;
  }
  if (right.kind === "double") {
    const value = parseJavaDouble(text);
    return value === null ? null : compareDoubles(value, right.value);
  }
  const digits = parseJavaLong(text);
  return digits === null ? null : compareDigits(digits, right.digits);
}

/** `Boolean.valueOf`. */
function isTrueText(text: string): boolean {
  return text.length === 4 && text.toLowerCase() === "true";
}

function compareTexts(left: string, right: string): number | null {
  const low = parseJavaDouble(left);
  const high = low === null ? null : parseJavaDouble(right);
  return low === null || high === null ? null : compareDoubles(low, high);
}

function orderText(left: string, right: Value): number | null {
  if (typeof right === "boolean") return Number(isTrueText(left)) - Number(right);
  return typeof right === "string" ? compareTexts(left, right) : compareTextTo(left, right);
}

function orderNumber(left: JavaNumber, right: Value): number | null {
  if (typeof right === "boolean") return BELOW;
  if (typeof right !== "string") return compareNumbers(left, right);
  const order = compareTextTo(right, left);
  return order === null ? null : 0 - order;
}

/** @returns below, equal to or above 0; null where 4.9 throws */
function order(left: Value, right: Value): number | null {
  if (typeof left === "string") return orderText(left, right);
  if (typeof left !== "boolean") return orderNumber(left, right);
  // 4.9 casts the truth value to a text there, which fails.
  if (typeof right === "string") return null;
  return typeof right === "boolean" ? Number(left) - Number(right) : BELOW;
}

/** @returns left = right */
export function areEqual(left: Value, right: Value): Truth {
  if (left === right) return TRUE;
  // Two texts that differ are never equal, whatever numbers they spell.
  if (typeof left === "string" && typeof right === "string") return FALSE;
  const found = order(left, right);
  if (found === null) return CANNOT;
  return found === 0 ? TRUE : FALSE;
}

/** @returns left > right, and so on */
export function isOrdered(comparison: Exclude<Comparison, "=">, left: Value, right: Value): Truth {
  const found = order(left, right);
  if (found === null) return CANNOT;
  switch (comparison) {
    case ">":
      return found > 0 ? TRUE : FALSE;
    case ">=":
      return found >= 0 ? TRUE : FALSE;
    case "<":
      return found < 0 ? TRUE : FALSE;
    case "<=":
      return found <= 0 ? TRUE : FALSE;
  }
}
