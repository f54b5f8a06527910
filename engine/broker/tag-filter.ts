/** Tag expressions (remoting-protocol 4.2.7): `*`, or tags separated by `||`. Hashes are computed here, never taken from a client. */
import { javaStringHash } from "../base/java-string-hash.ts";
import type { MessageFilter } from "../store/store-api.ts";

/** */
const EXPRESSION_BYTES_MAX = 4_096;
const TAGS_MAX = 256;

/** @returns true for an expression of tags, which is also what no type means */
export function isTagType(expressionType: string | undefined): boolean {
  return expressionType === undefined || expressionType === "" || expressionType === "TAG";
}

/** @returns the tags of an expression, empty for "all"; null when it does not parse */
export function parseTagExpression(expression: string): readonly string[] | null {
  if (Buffer.byteLength(expression, "utf8") > EXPRESSION_BYTES_MAX) return null;
  const trimmed = expression.trim();
  if (trimmed === "" || trimmed === "*") return [];
  const tags = trimmed
    .split("||")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
  return tags.length === 0 || tags.length > TAGS_MAX ? null : tags;
}

/** Lets through what has one of some tag hashes. */
class TagFilter implements MessageFilter {
  private readonly hashes: ReadonlySet<number>;

  constructor(hashes: ReadonlySet<number>) {
    this.hashes = hashes;
  }

  matchesTagsCode(tagsHashLow: number): boolean {
    return this.hashes.has(tagsHashLow);
  }
}

/**
 * @param hashes Java hashes of the wanted tags; empty for all
 * @returns a filter, or null for "all"
 */
export function tagFilter(hashes: ReadonlySet<number>): MessageFilter | null {
  return hashes.size === 0 ? null : new TagFilter(hashes);
}

/** Expressions remembered at most; then all are forgotten and learnt again. */
const REMEMBERED_MAX = 1_000;

/** Remembers what it parsed: consumers that send their expression with each pull send the same one every time. */
export class TagFilterCache {
  private readonly filters = new Map<string, MessageFilter | null | undefined>();

  /** @returns the filter, null for "all", undefined when the expression does not parse */
  filterOf(expression: string): MessageFilter | null | undefined {
    if (this.filters.has(expression)) return this.filters.get(expression);
    const tags = parseTagExpression(expression);
    const filter = tags === null ? undefined : tagFilter(new Set(tags.map(javaStringHash)));
    if (this.filters.size >= REMEMBERED_MAX) this.filters.clear();
    this.filters.set(expression, filter);
    return filter;
  }
}
