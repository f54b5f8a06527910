/** The door of this folder: a filter's text in, something that judges messages out. Pure; bit for bit what 4.9's SQL92 does. */
import { judgeOf, type Judge, type PropertyRow } from "./evaluator.ts";
import { parseFilter } from "./parser.ts";
import type { Truth } from "./truth.ts";

export type { PropertyRow } from "./evaluator.ts";
export { CANNOT, FALSE, TRUE, type Truth } from "./truth.ts";

/** A compiled SQL92 filter. */
export class SqlFilter {
  readonly text: string;
  /** The properties it looks at; their positions are the slots of a PropertyRow. */
  readonly names: readonly string[];
  /** What 4.9, and so this, ignores: everything behind a complete condition. Empty when all of the text counts. */
  readonly ignored: string;
  private readonly judge: Judge;

  /** @throws EngineError FILTER_INVALID */
  constructor(text: string) {
    const { root, names, end } = parseFilter(text);
    this.text = text;
    this.names = names;
    this.ignored = text.slice(end);
    this.judge = judgeOf(root);
  }

  /** @returns TRUE when the message is wanted; never throws */
  evaluate(row: PropertyRow): Truth {
    return this.judge(row);
  }
}
