/** Random SQL92 filters and messages from a seed: mostly sound ones, some damaged, so that parser and evaluator are both tried. */
import type { Properties } from "./sql-judge.ts";

/** @returns numbers from 0 to below 1, the same for the same seed (mulberry32) */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const NAMES = ["a", "b", "c", "_d", "$e", "TAGS", "missing"];
const VALUES = [
  ..."0 1 -1 5 5.0 5.5 +7 007 2147483647 2147483648 -2147483649 9007199254740993 9223372036854775808".split(
    " ",
  ),
  ..."1e3 .5 5. NaN Infinity -Infinity 0x1p4 3d true TRUE false x eu it's ".split(" "),
  ..." 5|5 |٥|-0|-0.0|1e999|1e-999|a b|ü".split("|"),
];
const LITERALS = [
  ..."0 1 5 7 2147483647 2147483648 3000000000L 9007199254740992 9223372036854775807".split(" "),
  ..."0.5 5.0 .5 5. 1e3 5E0 1e-3 0.0 TRUE FALSE NULL 'x' 'eu' '5' '5.0' 'true' 'it''s' ''".split(
    " ",
  ),
];
const PIECES = [
  ..."= <> > >= < <= ( ) , + - NOT AND OR BETWEEN IN IS NULL TRUE a 5 'x' ' . 1.5 # /* */ --".split(
    " ",
  ),
  "\n",
];

/** Makes cases without end. */
export class SqlGenerator {
  private readonly random: () => number;

  constructor(seed: number) {
    this.random = randomOf(seed);
  }

  filter(): string {
    const sql = this.condition(3);
    return this.random() < 0.2 ? this.damage(sql) : sql;
  }

  message(): Properties {
    const present = NAMES.filter((name) => name !== "missing" && this.random() < 0.75);
    return Object.fromEntries(present.map((name) => [name, this.pick(VALUES)]));
  }

  private pick(from: readonly string[]): string {
    return from[Math.floor(this.random() * from.length)] ?? "";
  }

  private operand(): string {
    const kind = this.random();
    if (kind < 0.55) return this.pick(NAMES);
    if (kind < 0.9) return this.pick(LITERALS);
    return kind < 0.96 ? `-${this.operand()}` : `(${this.operand()})`;
  }

  private list(): string {
    const count = 1 + Math.floor(this.random() * 6);
    return Array.from({ length: count }, () => `'${this.pick(VALUES).replaceAll("'", "''")}'`).join(
      ", ",
    );
  }

  private simple(): string {
    const not = this.random() < 0.3 ? " NOT" : "";
    switch (Math.floor(this.random() * 5)) {
      case 0:
        return `${this.operand()}${not} BETWEEN ${this.operand()} AND ${this.operand()}`;
      case 1:
        return `${this.pick(NAMES)}${not} IN (${this.list()})`;
      case 2:
        return `${this.operand()} IS${not} NULL`;
      default:
        return `${this.operand()} ${this.pick(["=", "=", "<>", ">", ">=", "<", "<="])} ${this.operand()}`;
    }
  }

  private condition(depth: number): string {
    const kind = this.random();
    if (depth === 0 || kind < 0.35) return this.simple();
    if (kind < 0.55) return `${this.condition(depth - 1)} AND ${this.condition(depth - 1)}`;
    if (kind < 0.75) return `${this.condition(depth - 1)} OR ${this.condition(depth - 1)}`;
    if (kind < 0.85) return `(${this.condition(depth - 1)})`;
    if (kind < 0.95) return `NOT (${this.condition(depth - 1)})`;
    return `(${this.condition(depth - 1)}) ${this.pick(["=", "<>"])} ${this.operand()}`;
  }

  /** Takes a few characters away, or puts a word in. */
  private damage(sql: string): string {
    const at = Math.floor(this.random() * sql.length);
    const gone = Math.floor(this.random() * 4);
    const piece = this.random() < 0.6 ? ` ${this.pick(PIECES)} ` : "";
    return sql.slice(0, at) + piece + sql.slice(at + gone);
  }
}
