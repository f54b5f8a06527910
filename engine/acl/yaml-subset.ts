/**
 * The part of YAML that plain_acl.yml and tools.yml are written in, by hand, by RocketMQ's samples and by SnakeYAML when Apache's broker
 * rewrites the file: block maps and lists, flow lists and maps on one line, plain, 'single' and "double" quoted scalars, comments.
 * Everything else (anchors, aliases, tags, block scalars, text over several lines, several documents) is an error with its line, never a
 * guess (decision 0003): a file that decides who may do what must mean one thing.
 */
import { EngineError } from "../base/engine-error.ts";

/** One value with the line it starts on, 1-based. */
export type YamlNode = YamlScalar | YamlList | YamlMap;

export interface YamlScalar {
  readonly kind: "scalar";
  /** Null for nothing at all, `~` and `null`. */
  readonly text: string | null;
  readonly isQuoted: boolean;
  readonly line: number;
}

export interface YamlList {
  readonly kind: "list";
  readonly items: readonly YamlNode[];
  readonly line: number;
}

export interface YamlMap {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, YamlNode>;
  readonly line: number;
}

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

/** E-10: no rules file is this large or deep. */
const BYTES_MAX = 1_048_576;
const DEPTH_MAX = 16;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  n: "\n",
  t: "\t",
  r: "\r",
};
/** Characters a plain scalar may not start with: in YAML they begin something else. */
const RESERVED_START = /^[&*!|>%@`?]/;

/** Reads one value that lies on one line. */
class InlineReader {
  private readonly text: string;
  private readonly line: number;
  private readonly fail: (line: number, message: string) => never;
  private at = 0;

  constructor(line: Line, start: number, fail: (line: number, message: string) => never) {
    this.text = line.text;
    this.line = line.number;
    this.at = start;
    this.fail = fail;
  }

  /** The value, with nothing but a comment behind it. */
  whole(): YamlNode {
    const value = this.value("block", 0);
    this.skipSpace();
    if (this.at < this.text.length && !this.isComment()) {
      this.fail(this.line, `"${this.text.slice(this.at)}" stands behind a complete value`);
    }
    return value;
  }

  private value(context: "block" | "flow", depth: number): YamlNode {
    if (depth > DEPTH_MAX) this.fail(this.line, `nested deeper than ${DEPTH_MAX}`);
    this.skipSpace();
    const first = this.text[this.at];
    if (first === "[") return this.list(depth);
    if (first === "{") return this.map(depth);
    if (first === "'" || first === '"') return this.scalar(this.quoted(first), true);
    return this.scalar(this.plain(context), false);
  }

  private scalar(text: string, isQuoted: boolean): YamlScalar {
    const isNull = !isQuoted && (text === "" || text === "~" || text.toLowerCase() === "null");
    return { kind: "scalar", text: isNull ? null : text, isQuoted, line: this.line };
  }

  private list(depth: number): YamlList {
    const items: YamlNode[] = [];
    this.at += 1;
    while (!this.ends("]")) {
      items.push(this.value("flow", depth + 1));
      this.separator("]");
    }
    return { kind: "list", items, line: this.line };
  }

  private map(depth: number): YamlMap {
    const entries = new Map<string, YamlNode>();
    this.at += 1;
    while (!this.ends("}")) {
      const key = this.flowKey();
      if (entries.has(key)) this.fail(this.line, `${key} stands here twice`);
      entries.set(key, this.value("flow", depth + 1));
      this.separator("}");
    }
    return { kind: "map", entries, line: this.line };
  }

  private flowKey(): string {
    this.skipSpace();
    const match = /^([A-Za-z][\w.-]*)\s*:(?=[\s,}]|$)/.exec(this.text.slice(this.at));
    if (match === null) return this.fail(this.line, "a map needs `key: value` pairs");
    this.at += match[0].length;
    return match[1] ?? "";
  }

  /** @returns true past the closing bracket */
  private ends(close: string): boolean {
    this.skipSpace();
    if (this.at >= this.text.length) this.fail(this.line, `no "${close}" on this line`);
    if (this.text[this.at] !== close) return false;
    this.at += 1;
    return true;
  }

  private separator(close: string): void {
    this.skipSpace();
    if (this.text[this.at] === ",") this.at += 1;
    else if (this.text[this.at] !== close)
      this.fail(this.line, `"," or "${close}" is missing on this line`);
  }

  private quoted(quote: string): string {
    let value = "";
    this.at += 1;
    for (; this.at < this.text.length; this.at += 1) {
      const character = this.text[this.at] ?? "";
      if (character === quote && quote === "'" && this.text[this.at + 1] === quote) {
        value += quote;
        this.at += 1;
      } else if (character === quote) {
        this.at += 1;
        return value;
      } else if (character === "\\" && quote === '"') value += this.escape();
      else value += character;
    }
    return this.fail(this.line, `no closing ${quote} on this line`);
  }

  private escape(): string {
    this.at += 1;
    const letter = this.text[this.at] ?? "";
    const simple = ESCAPES[letter];
    if (simple !== undefined) return simple;
    const hex = /^u([0-9a-fA-F]{4})/.exec(this.text.slice(this.at))?.[1];
    if (hex === undefined)
      return this.fail(this.line, `\\${letter} is no escape that is read here`);
    this.at += 4;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  private plain(context: "block" | "flow"): string {
    const start = this.at;
    while (this.at < this.text.length && !this.endsPlain(context)) this.at += 1;
    const text = this.text.slice(start, this.at).trimEnd();
    if (RESERVED_START.test(text))
      this.fail(this.line, `"${text}" starts with a character YAML reserves; put it in quotes`);
    if (/:(\s|$)/.test(text))
      this.fail(this.line, `"${text}" is a second "key:" on one line; put it in quotes`);
    return text;
  }

  private endsPlain(context: "block" | "flow"): boolean {
    const character = this.text[this.at] ?? "";
    return this.isComment() || (context === "flow" && /[,[\]{}]/.test(character));
  }

  private isComment(): boolean {
    return this.text[this.at] === "#" && (this.at === 0 || /\s/.test(this.text[this.at - 1] ?? ""));
  }

  private skipSpace(): void {
    while (this.text[this.at] === " " || this.text[this.at] === "\t") this.at += 1;
  }
}

/** Reads lines into nested maps and lists. */
class BlockReader {
  private readonly lines: Line[];
  private readonly fail: (line: number, message: string) => never;
  private next = 0;

  constructor(lines: Line[], fail: (line: number, message: string) => never) {
    this.lines = lines;
    this.fail = fail;
  }

  document(): YamlNode | null {
    const first = this.lines[0];
    if (first === undefined) return null;
    const node = this.block(first.indent, 0);
    const rest = this.lines[this.next];
    if (rest !== undefined) this.fail(rest.number, "this line is indented like none above it");
    return node;
  }

  private block(indent: number, depth: number): YamlNode {
    const line = this.lines[this.next];
    if (depth > DEPTH_MAX) this.fail(line?.number ?? 0, `nested deeper than ${DEPTH_MAX}`);
    return line !== undefined && isItem(line.text)
      ? this.list(indent, depth)
      : this.map(indent, depth);
  }

  private list(indent: number, depth: number): YamlList {
    const items: YamlNode[] = [];
    const start = this.lines[this.next]?.number ?? 0;
    for (;;) {
      const line = this.lines[this.next];
      if (line === undefined || line.indent !== indent || !isItem(line.text)) break;
      const rest = line.text.slice(1).trimStart();
      const restIndent = indent + line.text.length - rest.length;
      if (rest === "" || rest.startsWith("#")) {
        this.next += 1;
        items.push(this.nested(line, indent + 1, depth));
      } else if (isItem(rest) || keyOf(rest) !== null) {
        // `- key: value`: the item is a block of its own that starts behind the dash.
        this.lines[this.next] = { indent: restIndent, text: rest, number: line.number };
        items.push(this.block(restIndent, depth + 1));
      } else {
        this.next += 1;
        items.push(new InlineReader({ ...line, text: rest }, 0, this.fail).whole());
      }
    }
    return { kind: "list", items, line: start };
  }

  private map(indent: number, depth: number): YamlMap {
    const entries = new Map<string, YamlNode>();
    const start = this.lines[this.next]?.number ?? 0;
    for (;;) {
      const line = this.lines[this.next];
      if (line === undefined || line.indent !== indent || isItem(line.text)) break;
      const found = keyOf(line.text);
      if (found === null) return this.fail(line.number, `"${line.text}" is no \`key: value\``);
      if (entries.has(found.key)) this.fail(line.number, `${found.key} stands here twice`);
      this.next += 1;
      entries.set(found.key, this.mapValue(line, found.length, depth));
    }
    return { kind: "map", entries, line: start };
  }

  private mapValue(line: Line, start: number, depth: number): YamlNode {
    const rest = line.text.slice(start).trimStart();
    if (rest !== "" && !rest.startsWith("#"))
      return new InlineReader(line, start, this.fail).whole();
    const below = this.lines[this.next];
    // A list may stand at its key's own indentation.
    const isList = below !== undefined && below.indent === line.indent && isItem(below.text);
    return this.nested(line, isList ? line.indent : line.indent + 1, depth);
  }

  /** The block below a line, indented at least that far; nothing there is null. */
  private nested(parent: Line, indentMin: number, depth: number): YamlNode {
    const below = this.lines[this.next];
    if (below === undefined || below.indent < indentMin)
      return { kind: "scalar", text: null, isQuoted: false, line: parent.number };
    return this.block(below.indent, depth + 1);
  }
}

function isItem(text: string): boolean {
  return text === "-" || text.startsWith("- ");
}

/** @returns the key a line starts with and where its value starts, or null */
function keyOf(text: string): { readonly key: string; readonly length: number } | null {
  const match = /^([A-Za-z][\w.-]*)\s*:(?=\s|$)/.exec(text);
  return match === null ? null : { key: match[1] ?? "", length: match[0].length };
}

function significantLines(text: string, fail: (line: number, message: string) => never): Line[] {
  const lines: Line[] = [];
  text.split(/\r\n|\n|\r/).forEach((raw, index) => {
    const content = raw.trim();
    const number = index + 1;
    if (content === "" || content.startsWith("#")) return;
    if (content === "---" && lines.length === 0) return;
    if (content === "---" || content === "...") fail(number, "only one document may stand here");
    const indent = raw.length - raw.trimStart().length;
    if (raw.slice(0, indent).includes("\t")) fail(number, "indented with a tab; use spaces");
    lines.push({ indent, text: content, number });
  });
  return lines;
}

/**
 * @param text content of the file
 * @param file its name, for error messages
 * @returns the document, or null when nothing but comments stands there
 * @throws EngineError ACL_FILE_INVALID with file and line
 */
export function parseYamlSubset(text: string, file: string): YamlNode | null {
  const fail = (line: number, message: string): never => {
    throw new EngineError("ACL_FILE_INVALID", {
      message: `${file}:${line}: ${message}`,
      hint: "write maps and lists as RocketMQ's sample file does; values with special characters in quotes",
    });
  };
  if (Buffer.byteLength(text, "utf8") > BYTES_MAX) fail(1, `larger than ${BYTES_MAX} bytes`);
  return new BlockReader(significantLines(text, fail), fail).document();
}
