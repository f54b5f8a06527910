/**
 * SQL92 filters as 4.9's grammar reads them, by recursive descent:
 *
 *   or          and { OR and }
 *   and         equality { AND equality }
 *   equality    comparison { = comparison | <> comparison | IS [NOT] NULL }
 *   comparison  unary { > unary | >= unary | < unary | <= unary | [NOT] BETWEEN unary AND unary | [NOT] IN ( text, … ) }
 *   unary       + unary | - unary | NOT unary | primary
 *   primary     literal | name | ( or )
 *
 * Two of its ways surprise: NOT binds tighter than a comparison, so `NOT a > 1` is refused and `NOT (a > 1)` is meant; and 4.9 stops reading
 * where a condition is complete, whatever stands behind it.
 */
import {
  describe,
  isBoolean,
  type Comparison,
  type Constant,
  type Expression,
} from "./expression.ts";
import { invalidFilter } from "./filter-error.ts";
import {
  compareDigits,
  compareDoubles,
  doubleOf,
  integerOf,
  parseJavaLong,
} from "./java-number.ts";
import type { JavaNumber } from "./java-number.ts";
import { Lexer, type Word } from "./lexer.ts";

/** */
const TEXT_BYTES_MAX = 4_096;
const DEPTH_MAX = 32;
const TERMS_MAX = 256;

/** A filter's text, understood. */
export interface ParsedFilter {
  readonly root: Expression;
  /** Properties by slot. */
  readonly names: readonly string[];
  /** Index of the first character 4.9 does not look at; the length of the text when there is none. */
  readonly end: number;
}

const COMPARISONS: ReadonlySet<string> = new Set([">", ">=", "<", "<="]);
const LITERALS: ReadonlyMap<string, boolean | null> = new Map([
  ["TRUE", true],
  ["FALSE", false],
  ["NULL", null],
]);

function isNumber(value: Constant): value is JavaNumber {
  return typeof value === "object" && value !== null;
}

class Parser {
  private readonly sql: string;
  private readonly lexer: Lexer;
  private readonly slots = new Map<string, number>();
  private word: Word;
  private terms = 0;
  private depth = 0;

  constructor(sql: string) {
    this.sql = sql;
    this.lexer = new Lexer(sql);
    this.word = this.lexer.next();
  }

  parse(): ParsedFilter {
    const at = this.word.at;
    const root = this.asBoolean(this.or(), at);
    return { root, names: [...this.slots.keys()], end: this.word.at };
  }

  private fail(problem: string, at = this.word.at): never {
    return invalidFilter(this.sql, at, problem);
  }

  private expected(what: string): never {
    const { kind, text } = this.word;
    return this.fail(
      `expected ${what}, found ${kind === "end" ? "its end" : JSON.stringify(text)}`,
    );
  }

  private is(text: string): boolean {
    const { kind } = this.word;
    return (kind === "keyword" || kind === "symbol") && this.word.text === text;
  }

  private takes(text: string): boolean {
    if (!this.is(text)) return false;
    this.word = this.lexer.next();
    return true;
  }

  private require(text: string): void {
    if (!this.takes(text)) this.expected(text);
  }

  private asBoolean(expression: Expression, at: number): Expression {
    if (isBoolean(expression)) return expression;
    if (expression.kind === "property") return { kind: "cast", operand: expression };
    return this.fail(`${describe(expression)} is neither true nor false`, at);
  }

  private or(): Expression {
    const { at } = this.word;
    let left = this.and();
    while (this.takes("OR")) {
      const rightAt = this.word.at;
      const right = this.asBoolean(this.and(), rightAt);
      left = { kind: "or", left: this.asBoolean(left, at), right };
    }
    return left;
  }

  private and(): Expression {
    const { at } = this.word;
    let left = this.equality();
    while (this.takes("AND")) {
      const rightAt = this.word.at;
      const right = this.asBoolean(this.equality(), rightAt);
      left = { kind: "and", left: this.asBoolean(left, at), right };
    }
    return left;
  }

  private equality(): Expression {
    let left = this.comparison();
    for (;;) {
      const { at } = this.word;
      if (this.takes("=")) left = this.equal(left, this.comparison(), at);
      else if (this.takes("<>")) {
        left = { kind: "not", operand: this.equal(left, this.comparison(), at) };
      } else if (this.takes("IS")) left = this.isNull(left);
      else return left;
    }
  }

  private equal(left: Expression, right: Expression, at: number): Expression {
    for (const side of [left, right]) {
      if (side.kind === "constant" && side.value === null)
        this.fail("NULL equals nothing: write IS NULL or IS NOT NULL", at);
    }
    const areConstants = left.kind === "constant" && right.kind === "constant";
    if (areConstants && isBoolean(left) && !isBoolean(right))
      this.fail(`${describe(left)} cannot be compared with ${describe(right)}`, at);
    return { kind: "compare", comparison: "=", left, right };
  }

  private isNull(left: Expression): Expression {
    const isNegated = this.takes("NOT");
    this.require("NULL");
    const right: Expression = { kind: "constant", value: null };
    const test: Expression = { kind: "compare", comparison: "=", left, right };
    return isNegated ? { kind: "not", operand: test } : test;
  }

  private comparison(): Expression {
    let left = this.unary();
    for (;;) {
      const { kind, text, at } = this.word;
      if (kind === "symbol" && COMPARISONS.has(text)) {
        this.word = this.lexer.next();
        left = this.ordered(text as Comparison, left, this.unary(), at);
        continue;
      }
      const isNegated = this.takes("NOT");
      if (this.takes("BETWEEN")) left = this.between(left, isNegated, at);
      else if (this.takes("IN")) left = this.in(left, isNegated, at);
      else if (isNegated) return this.expected("BETWEEN or IN");
      else return left;
    }
  }

  private ordered(
    comparison: Comparison,
    left: Expression,
    right: Expression,
    at: number,
  ): Expression {
    for (const side of [left, right]) {
      const isNumeric = side.kind === "constant" ? isNumber(side.value) : !isBoolean(side);
      if (!isNumeric) this.fail(`only numbers have an order, ${describe(side)} has none`, at);
    }
    return { kind: "compare", comparison, left, right };
  }

  private between(value: Expression, isNegated: boolean, at: number): Expression {
    const low = this.unary();
    this.require("AND");
    const high = this.unary();
    if (isNegated) {
      const left = this.ordered("<", value, low, at);
      return { kind: "or", left, right: this.ordered(">", value, high, at) };
    }
    const left = this.ordered(">=", value, low, at);
    const right = this.ordered("<=", value, high, at);
    if (low.kind === "constant" && high.kind === "constant" && isAbove(low.value, high.value))
      this.fail(`nothing is between ${describe(low)} and ${describe(high)}`, at);
    return { kind: "and", left, right };
  }

  private in(left: Expression, isNegated: boolean, at: number): Expression {
    this.require("(");
    const values = new Set([this.listed()]);
    while (this.takes(",")) values.add(this.listed());
    this.require(")");
    if (left.kind !== "property") this.fail("only a property can be IN a list", at);
    return { kind: "in", slot: left.slot, values, isNegated };
  }

  private listed(): string {
    const { kind, text } = this.word;
    if (kind !== "text") this.expected("a text in quotes");
    this.countTerm();
    this.word = this.lexer.next();
    return text;
  }

  private unary(): Expression {
    if (!this.is("+") && !this.is("-") && !this.is("NOT")) return this.primary();
    const { text, at } = this.word;
    this.word = this.lexer.next();
    this.deeper();
    const operand = this.unary();
    this.depth -= 1;
    if (text === "+") return operand;
    if (text === "-") return { kind: "negate", operand };
    return { kind: "not", operand: this.asBoolean(operand, at) };
  }

  private deeper(): void {
    this.depth += 1;
    if (this.depth > DEPTH_MAX) this.fail(`nested more than ${DEPTH_MAX} deep`);
  }

  private countTerm(): void {
    this.terms += 1;
    if (this.terms > TERMS_MAX) this.fail(`more than ${TERMS_MAX} values`);
  }

  private primary(): Expression {
    if (this.takes("(")) {
      this.deeper();
      const inner = this.or();
      this.depth -= 1;
      this.require(")");
      return inner;
    }
    const expression = this.term();
    this.countTerm();
    this.word = this.lexer.next();
    return expression;
  }

  private term(): Expression {
    const { kind, text } = this.word;
    switch (kind) {
      case "text":
        return { kind: "constant", value: text };
      case "integer":
        return { kind: "constant", value: this.integer(text) };
      case "float":
        return { kind: "constant", value: this.float(text) };
      case "name":
        return { kind: "property", slot: this.slotOf(text), name: text };
      case "keyword":
      case "symbol":
      case "end": {
        const value = kind === "keyword" ? LITERALS.get(text) : undefined;
        if (value === undefined) this.expected("a property name or a value");
        return { kind: "constant", value };
      }
    }
  }

  private integer(text: string): JavaNumber {
    const digits = parseJavaLong(text.replace(/[lL]$/, ""));
    if (digits === null) this.fail(`${text} is above 9223372036854775807`);
    return integerOf(digits);
  }

  private float(text: string): JavaNumber {
    const value = Number(text);
    if (value === Infinity) this.fail(`${text} is above ${Number.MAX_VALUE}`);
    // As in 4.9: the zero of doubles cannot be written, the integer 0 can.
    if (value === 0) this.fail(`${text} is below ${Number.MIN_VALUE}: write 0`);
    return doubleOf(value);
  }

  private slotOf(name: string): number {
    const slot = this.slots.get(name) ?? this.slots.size;
    this.slots.set(name, slot);
    return slot;
  }
}

/** @returns true when both are numbers and the first is above the second */
function isAbove(low: Constant, high: Constant): boolean {
  if (!isNumber(low) || !isNumber(high)) return false;
  if (low.kind === "double" || high.kind === "double")
    return compareDoubles(low.value, high.value) > 0;
  return compareDigits(low.digits, high.digits) > 0;
}

/**
 * @param sql text of a filter
 * @returns its meaning
 * @throws EngineError FILTER_INVALID with the place and what was expected there; also past the limits of R-20
 */
export function parseFilter(sql: string): ParsedFilter {
  if (Buffer.byteLength(sql, "utf8") > TEXT_BYTES_MAX)
    return invalidFilter(sql, 0, `it is longer than ${TEXT_BYTES_MAX} bytes`);
  return new Parser(sql).parse();
}
