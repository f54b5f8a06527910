/**
 * Words of a SQL92 filter, as 4.9's grammar has them (longest match; letters of either case):
 *
 *   NOT AND OR BETWEEN IN TRUE FALSE NULL IS   = <> > >= < <= ( ) , + -
 *   integer   0, or 1-9 and digits, then an optional L
 *   float     1.5  1.  .5  each with an optional exponent, or 1E5
 *   text      'it''s'
 *   name      letter, _ or $, then these and digits
 *
 * Blanks, block comments and line comments (`--` and all up to a line end) stand between words. A `--` that no line end follows is two
 * minus signs.
 */
import { invalidFilter } from "./filter-error.ts";

export type WordKind = "keyword" | "symbol" | "integer" | "float" | "text" | "name" | "end";

export interface Word {
  readonly kind: WordKind;
  /** A keyword in capitals, a text without its quotes, else as written. */
  readonly text: string;
  /** Of its first character. */
  readonly at: number;
}

const KEYWORDS: ReadonlySet<string> = new Set(
  "NOT AND OR BETWEEN IN TRUE FALSE NULL IS".split(" "),
);
const SYMBOLS: ReadonlySet<string> = new Set([
  "=",
  "<>",
  ">",
  ">=",
  "<",
  "<=",
  "(",
  ")",
  ",",
  "+",
  "-",
]);

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function isNameStart(unit: number): boolean {
  const lower = unit | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || unit === 0x5f || unit === 0x24;
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09 || unit === 0x0a || unit === 0x0c || unit === 0x0d;
}

/** Hands out one word after another. */
export class Lexer {
  private readonly sql: string;
  private at = 0;

  /** @param sql the expression */
  constructor(sql: string) {
    this.sql = sql;
  }

  /** @throws EngineError FILTER_INVALID where no word begins */
  next(): Word {
    this.skip();
    const start = this.at;
    if (start >= this.sql.length) return { kind: "end", text: "", at: start };
    const unit = this.unit(start);
    if (unit === 0x27) return this.text(start);
    if (isNameStart(unit)) return this.name(start);
    if (isDigit(unit) || (unit === 0x2e && isDigit(this.unit(start + 1))))
      return this.number(start);
    return this.symbol(start);
  }

  private unit(at: number): number {
    return at < this.sql.length ? this.sql.charCodeAt(at) : 0;
  }

  private skip(): void {
    for (let before = -1; before !== this.at;) {
      before = this.at;
      while (isBlank(this.unit(this.at))) this.at += 1;
      if (this.sql.startsWith("/*", this.at)) this.at = this.commentEnd("*/", 2);
      else if (this.sql.startsWith("--", this.at)) this.skipLine();
    }
  }

  private commentEnd(closing: string, length: number): number {
    const end = this.sql.indexOf(closing, this.at + 2);
    if (end >= 0) return end + length;
    return invalidFilter(this.sql, this.at, "the comment /* has no end");
  }

  private skipLine(): void {
    let end = this.at;
    while (end < this.sql.length && this.unit(end) !== 0x0a && this.unit(end) !== 0x0d) end += 1;
    if (end < this.sql.length) this.at = end;
  }

  private take(kind: WordKind, start: number, end: number): Word {
    this.at = end;
    return { kind, text: this.sql.slice(start, end), at: start };
  }

  private text(start: number): Word {
    let end = -1;
    let quote = this.sql.indexOf("'", start + 1);
    while (quote >= 0) {
      end = quote + 1;
      // Two quotes are one in the text, unless no end comes any more: then the first one was it.
      quote = this.unit(end) === 0x27 ? this.sql.indexOf("'", end + 1) : -1;
    }
    if (end < 0) return invalidFilter(this.sql, start, "the text that begins with ' has no end");
    this.at = end;
    const text = this.sql.slice(start + 1, end - 1).replaceAll("''", "'");
    return { kind: "text", text, at: start };
  }

  private name(start: number): Word {
    let end = start + 1;
    while (isNameStart(this.unit(end)) || isDigit(this.unit(end))) end += 1;
    const keyword = this.sql.slice(start, end).toUpperCase();
    if (!KEYWORDS.has(keyword)) return this.take("name", start, end);
    this.at = end;
    return { kind: "keyword", text: keyword, at: start };
  }

  private digitsEnd(from: number): number {
    let end = from;
    while (isDigit(this.unit(end))) end += 1;
    return end;
  }

  /** @returns where an exponent at `from` ends; `from` when there is none */
  private exponentEnd(from: number): number {
    if ((this.unit(from) | 0x20) !== 0x65) return from;
    const sign = this.unit(from + 1);
    const digits = sign === 0x2b || sign === 0x2d ? from + 2 : from + 1;
    const end = this.digitsEnd(digits);
    return end === digits ? from : end;
  }

  private number(start: number): Word {
    const whole = this.digitsEnd(start);
    const hasPoint = this.unit(whole) === 0x2e;
    const fraction = hasPoint ? this.digitsEnd(whole + 1) : whole;
    const end = this.exponentEnd(fraction);
    if (hasPoint || end > fraction) return this.take("float", start, end);
    // 4.9's integers have no leading zeros: 007 is three words.
    if (this.unit(start) === 0x30) return this.take("integer", start, start + 1);
    const isLong = (this.unit(whole) | 0x20) === 0x6c;
    return this.take("integer", start, isLong ? whole + 1 : whole);
  }

  private symbol(start: number): Word {
    for (const end of [start + 2, start + 1]) {
      const text = this.sql.slice(start, end);
      if (SYMBOLS.has(text)) return this.take("symbol", start, start + text.length);
    }
    const found = String.fromCodePoint(this.sql.codePointAt(start) ?? 0);
    return invalidFilter(this.sql, start, `${JSON.stringify(found)} means nothing here`);
  }
}
