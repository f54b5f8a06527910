/** Turns a parsed filter into functions that judge messages. Nothing is allocated per message but the texts of properties that are looked at. */
import { areEqual, isOrdered, type Value } from "./compare.ts";
import type { Comparison, Expression } from "./expression.ts";
import { negateNumber, type JavaNumber } from "./java-number.ts";
import { CANNOT, FALSE, TRUE, UNKNOWN, type Truth } from "./truth.ts";

/** A message's properties as a filter sees them. */
export interface PropertyRow {
  /** @returns value of the property in that slot, null when the message has none */
  value(slot: number): string | null;
}

/** Judges one message. */
export type Judge = (row: PropertyRow) => Truth;

/** A value, NULL, or the news that there is none because something inside cannot be evaluated. */
type Operand = Value | null | typeof CANNOT;
type Read = (row: PropertyRow) => Operand;

function valueOf(truth: Truth): Operand {
  if (truth === CANNOT) return CANNOT;
  return truth === UNKNOWN ? null : truth === TRUE;
}

function readerOf(expression: Expression): Read {
  switch (expression.kind) {
    case "property": {
      const { slot } = expression;
      return (row) => row.value(slot);
    }
    case "constant": {
      const { value } = expression;
      return () => value;
    }
    case "negate":
      return negationOf(expression.operand);
    case "compare":
    case "not":
    case "cast":
    case "and":
    case "or":
    case "in": {
      const judge = judgeOf(expression);
      return (row) => valueOf(judge(row));
    }
  }
}

/** A number changes its sign; of anything else there is no negative. */
function negationOf(operand: Expression): Read {
  const read = readerOf(operand);
  const constant = numberIn(operand);
  if (constant !== null) {
    const negative = negateNumber(constant);
    return () => negative;
  }
  return (row) => (read(row) === CANNOT ? CANNOT : null);
}

/** @returns the number a literal with any number of signs stands for, null for everything else */
function numberIn(expression: Expression): JavaNumber | null {
  if (expression.kind === "negate") {
    const inner = numberIn(expression.operand);
    return inner === null ? null : negateNumber(inner);
  }
  if (expression.kind !== "constant") return null;
  const { value } = expression;
  return typeof value === "object" ? value : null;
}

function judgeEqual(left: Read, right: Read): Judge {
  return (row) => {
    const a = left(row);
    if (a === CANNOT) return CANNOT;
    const b = right(row);
    if (b === CANNOT) return CANNOT;
    if (a === null) return b === null ? TRUE : UNKNOWN;
    return b === null ? FALSE : areEqual(a, b);
  };
}

function judgeOrder(comparison: Exclude<Comparison, "=">, left: Read, right: Read): Judge {
  return (row) => {
    const a = left(row);
    if (a === CANNOT) return CANNOT;
    if (a === null) return UNKNOWN;
    const b = right(row);
    if (b === CANNOT) return CANNOT;
    return b === null ? UNKNOWN : isOrdered(comparison, a, b);
  };
}

function judgeNot(operand: Judge): Judge {
  return (row) => {
    const truth = operand(row);
    if (truth === TRUE) return FALSE;
    return truth === FALSE ? TRUE : truth;
  };
}

/** AND is decided by FALSE, OR by TRUE: then the right side is not looked at. */
function judgeBoth(left: Judge, right: Judge, decisive: Truth): Judge {
  const otherwise = decisive === TRUE ? FALSE : TRUE;
  return (row) => {
    const a = left(row);
    if (a === decisive || a === CANNOT) return a;
    const b = right(row);
    if (b === decisive || b === CANNOT) return b;
    return a === UNKNOWN || b === UNKNOWN ? UNKNOWN : otherwise;
  };
}

/**
 * @param expression of a truth value
 * @returns a function that judges messages
 */
export function judgeOf(expression: Expression): Judge {
  switch (expression.kind) {
    case "compare": {
      const [left, right] = [readerOf(expression.left), readerOf(expression.right)];
      const { comparison } = expression;
      return comparison === "=" ? judgeEqual(left, right) : judgeOrder(comparison, left, right);
    }
    case "not":
      return judgeNot(judgeOf(expression.operand));
    case "and":
      return judgeBoth(judgeOf(expression.left), judgeOf(expression.right), FALSE);
    case "or":
      return judgeBoth(judgeOf(expression.left), judgeOf(expression.right), TRUE);
    case "in": {
      const { slot, values, isNegated } = expression;
      return (row) => {
        const value = row.value(slot);
        if (value === null) return UNKNOWN;
        return values.has(value) === isNegated ? FALSE : TRUE;
      };
    }
    case "property":
    case "constant":
    case "negate":
    case "cast":
      return judgeValue(readerOf(expression.kind === "cast" ? expression.operand : expression));
  }
}

/** TRUE for the literal only: the text `true` of a property is not it. */
function judgeValue(read: Read): Judge {
  return (row) => {
    const value = read(row);
    if (value === null) return UNKNOWN;
    return value === true ? TRUE : FALSE;
  };
}
