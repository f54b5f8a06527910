/** A YAML file that can still say on which line each of its values stands. */
import { LineCounter, isMap, isNode, isScalar, parseDocument, type Document } from "yaml";
import type { TopologyProblem } from "./problem.ts";

/** A parsed YAML text. */
export interface YamlSource {
  readonly file: string;
  /** Plain data; undefined when the text is no YAML. */
  readonly value: unknown;
  /** Syntax errors and repeated keys. */
  readonly problems: readonly TopologyProblem[];
  /**
   * @param path keys and indexes from the top
   * @returns line (1-based) of the value, or of the nearest enclosing value that exists
   */
  lineOf(path: readonly PropertyKey[]): number | null;
}

type Path = readonly (string | number)[];

function plainPath(path: readonly PropertyKey[]): Path {
  return path.map((part) => (typeof part === "symbol" ? part.toString() : part));
}

function startOf(document: Document, path: Path): number | undefined {
  const parent: unknown = path.length === 0 ? null : document.getIn(path.slice(0, -1), true);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === path.at(-1));
    if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0];
  }
  const node: unknown = document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}

/**
 * @param text YAML 1.2 text
 * @param file its name, for problems
 */
export function parseYaml(text: string, file: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = document.errors.map((error) => ({
    file,
    line: lines.linePos(error.pos[0]).line,
    message: error.message,
  }));
  return {
    file,
    value: problems.length > 0 ? undefined : document.toJS(),
    problems,
    lineOf(path) {
      for (let length = path.length; length >= 0; length -= 1) {
        const start = startOf(document, plainPath(path.slice(0, length)));
        if (start !== undefined) return lines.linePos(start).line;
      }
      return null;
    },
  };
}
