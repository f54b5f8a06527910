/**
 * Java `.properties` text as RocketMQ 4.9 reads it (admin-protocol D.3), with line numbers for error messages.
 * Comment lines start with # or !; `key=value`, `key:value` or `key value`; a line ending in an odd number of backslashes goes on in
 * the next one; \t \n \r \f \\ \uXXXX are unescaped. Values keep what follows on their line: there are no trailing comments.
 */
import { EngineError } from "./engine-error.ts";

/** One `key=value` with the number of its first line. */
export interface PropertyEntry {
  readonly key: string;
  readonly value: string;
  /** 1-based. */
  readonly line: number;
}

const ESCAPES: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescape(text: string, file: string, line: number): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|u|[\s\S]|$)/g, (_all, escape: string) => {
    if (escape === "u") {
      throw new EngineError("PROPERTIES_FILE_INVALID", {
        message: `${file}:${line}: \\u must be followed by four hexadecimal digits`,
      });
    }
    if (escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return ESCAPES[escape] ?? escape;
  });
}

function continues(line: string): boolean {
  const slashes = /\\*$/.exec(line)?.[0].length ?? 0;
  return slashes % 2 === 1;
}

/** Joins continued lines; blank and comment lines are dropped. */
function logicalLines(text: string): { readonly text: string; readonly line: number }[] {
  const lines = text.split(/\r\n|\n|\r/);
  const logical: { text: string; line: number }[] = [];
  for (let i = 0; i < lines.length; i += 1) {
    const first = (lines[i] ?? "").trimStart();
    if (first === "" || first.startsWith("#") || first.startsWith("!")) continue;
    const line = i + 1;
    let joined = first;
    while (continues(joined) && i + 1 < lines.length) {
      i += 1;
      joined = joined.slice(0, -1) + (lines[i] ?? "").trimStart();
    }
    logical.push({ text: joined, line });
  }
  return logical;
}

/**
 * @param text content of the file
 * @param file its name, for error messages
 * @returns entries in order; a repeated key appears as often as it stands there (the last one wins)
 * @throws EngineError PROPERTIES_FILE_INVALID with file and line
 */
export function parseProperties(text: string, file: string): readonly PropertyEntry[] {
  return logicalLines(text).map(({ text: logical, line }) => {
    const match = /^((?:[^\\=:\s]|\\[\s\S])*)\s*[=:]?\s*([\s\S]*)$/.exec(logical);
    const key = unescape(match?.[1] ?? "", file, line);
    if (key === "") {
      throw new EngineError("PROPERTIES_FILE_INVALID", {
        message: `${file}:${line}: no key before the value`,
        hint: "write key=value, or start the line with # to make it a comment",
      });
    }
    return { key, value: unescape(match?.[2] ?? "", file, line).trim(), line };
  });
}

/**
 * Sets keys in property text and leaves every other line as it is, comments too (4.9 rewrites the whole file, admin-protocol D.5).
 * @param text the file
 * @param entries what to set
 * @param file its name, for errors
 */
export function withProperties(
  text: string,
  entries: readonly PropertyEntry[],
  file: string,
): string {
  const lines = text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
  for (const { key, value } of entries) {
    const present = parseProperties(lines.join("\n"), file).findLast((entry) => entry.key === key);
    const line = present === undefined ? undefined : lines[present.line - 1];
    // The last setting of a key wins, so one that runs over several lines is left alone and a new one put after it.
    const at = line === undefined || line.endsWith("\\") ? lines.length : (present?.line ?? 0) - 1;
    lines[at] = `${key}=${value}`;
  }
  return `${lines.join("\n")}\n`;
}
