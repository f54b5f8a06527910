/** SQL92 filters on stored records: properties are looked up in the record's bytes, bodies are never touched (remoting-protocol 4.2.7). */
import { EngineError } from "../base/engine-error.ts";
import { CANNOT, SqlFilter, TRUE, type PropertyRow } from "../filter/sql-filter.ts";
import { NAME_END, PROPERTY, VALUE_END } from "../message/properties.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { MessageFilter } from "../store/store-api.ts";
import type { Refusal } from "./send-checks.ts";

/** The one expression type besides TAG. */
export const SQL92 = "SQL92";

/** Types come from clients and go into remarks. */
const TYPE_SHOWN_MAX = 64;

/** @returns 4.9's refusal of a type of expression that this broker does not serve, as it is set */
export function filterNotServed(expressionType: string): Refusal {
  const type = expressionType.slice(0, TYPE_SHOWN_MAX);
  return {
    code: RESPONSE_CODE.SYSTEM_ERROR,
    remark: `The broker does not support consumer to filter message by ${type}`,
  };
}

/** Some properties of one record at a time; the same object serves all records. */
class RecordProperties implements PropertyRow {
  private readonly names: readonly Buffer[];
  private readonly starts: Int32Array;
  private readonly ends: Int32Array;
  private bytes: Buffer = Buffer.alloc(0);

  /** @param names by slot; ASCII */
  constructor(names: readonly string[]) {
    this.names = names.map((name) => Buffer.from(name, "latin1"));
    this.starts = new Int32Array(names.length);
    this.ends = new Int32Array(names.length);
  }

  /** Finds the properties in `name 0x01 value 0x02 …`. One without a name or a value is none; of a repeated name the last counts. */
  read(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.starts.fill(-1);
    for (let pair = start; pair < end;) {
      let nameEnd = -1;
      let at = pair;
      for (; at < end && bytes[at] !== VALUE_END; at += 1) {
        if (nameEnd < 0 && bytes[at] === NAME_END) nameEnd = at;
      }
      if (nameEnd > pair && nameEnd + 1 < at) this.note(pair, nameEnd, at);
      pair = at + 1;
    }
  }

  value(slot: number): string | null {
    const start = this.starts[slot] ?? -1;
    return start < 0 ? null : this.bytes.toString("utf8", start, this.ends[slot]);
  }

  private note(start: number, nameEnd: number, end: number): void {
    for (let slot = 0; slot < this.names.length; slot += 1) {
      if (!this.isName(this.names[slot], start, nameEnd)) continue;
      this.starts[slot] = nameEnd + 1;
      this.ends[slot] = end;
      return;
    }
  }

  private isName(name: Buffer | undefined, start: number, end: number): boolean {
    if (name === undefined || name.length !== end - start) return false;
    for (let i = 0; i < name.length; i += 1) {
      if (this.bytes[start + i] !== name[i]) return false;
    }
    return true;
  }
}

/** Lets through what a SQL92 expression is true for. */
export class PropertyFilter implements MessageFilter {
  private readonly sql: SqlFilter;
  private readonly properties: RecordProperties;
  private readonly onCannot: () => void;
  private hasTold = false;

  /** @param onCannot told once, at the first message that the expression cannot be evaluated for */
  constructor(sql: SqlFilter, onCannot: () => void) {
    this.sql = sql;
    this.properties = new RecordProperties(sql.names);
    this.onCannot = onCannot;
  }

  /** Queue entries know nothing of properties. */
  matchesTagsCode(): boolean {
    return true;
  }

  matchesProperties(bytes: Buffer, start: number, end: number): boolean {
    this.properties.read(bytes, start, end);
    const truth = this.sql.evaluate(this.properties);
    if (truth === CANNOT && !this.hasTold) {
      this.hasTold = true;
      this.onCannot();
    }
    return truth === TRUE;
  }
}

/**
 * @param expression text of a SQL92 filter
 * @param onCannot see PropertyFilter
 * @returns a filter, or what is wrong with the text
 */
export function compileFilter(
  expression: string,
  onCannot: () => void,
): { readonly sql: SqlFilter; readonly filter: PropertyFilter } | string {
  try {
    const sql = new SqlFilter(expression);
    return { sql, filter: new PropertyFilter(sql, onCannot) };
  } catch (error) {
    if (error instanceof EngineError && error.code === "FILTER_INVALID") return error.message;
    throw error;
  }
}

/** Expressions remembered at most; then all are forgotten and learnt again. */
const REMEMBERED_MAX = 100;

/** Remembers what it compiled, for consumers that bring their expression with every pull. */
export class PropertyFilterCache {
  private readonly filters = new Map<string, MessageFilter | string>();
  private readonly onCannot: (expression: string) => void;

  /** @param onCannot told of an expression that cannot be evaluated for some message */
  constructor(onCannot: (expression: string) => void) {
    this.onCannot = onCannot;
  }

  /** @returns the filter, or what is wrong with its text */
  filterOf(expression: string): MessageFilter | string {
    const known = this.filters.get(expression);
    if (known !== undefined) return known;
    const compiled = compileFilter(expression, () => this.onCannot(expression));
    const outcome = typeof compiled === "string" ? compiled : compiled.filter;
    if (this.filters.size >= REMEMBERED_MAX) this.filters.clear();
    this.filters.set(expression, outcome);
    return outcome;
  }
}

/**
 * With filterSupportRetry: a retried message is judged by the filter its group has for the topic it came from, so that one that stopped matching
 * is not delivered again.
 */
export class RetryFilter implements MessageFilter {
  private readonly retried: MessageFilter | null;
  private readonly filterOf: (topic: string) => MessageFilter | undefined;
  private readonly origin = new RecordProperties([PROPERTY.RETRY_TOPIC]);

  /**
   * @param retried filter of the retry topic itself
   * @param filterOf the group's filter for a topic, if it has one
   */
  constructor(
    retried: MessageFilter | null,
    filterOf: (topic: string) => MessageFilter | undefined,
  ) {
    this.retried = retried;
    this.filterOf = filterOf;
  }

  matchesTagsCode(tagsHashLow: number): boolean {
    return this.retried === null || this.retried.matchesTagsCode(tagsHashLow);
  }

  matchesProperties(bytes: Buffer, start: number, end: number): boolean {
    this.origin.read(bytes, start, end);
    const topic = this.origin.value(0);
    const filter = topic === null ? undefined : this.filterOf(topic);
    return filter?.matchesProperties?.(bytes, start, end) ?? true;
  }
}
