/** The text of a `topology.yaml` as checked data: shape and value ranges only; validate.ts looks at what belongs together. */
import type { z } from "zod";
import { suggestion } from "../base/did-you-mean.ts";
import type { TopologyProblem } from "./problem.ts";
import { allowedKeys, topologySchema, type TopologyFile } from "./schema.ts";
import { parseYaml, type YamlSource } from "./yaml-source.ts";

/** A file that has the right shape, and its source for later messages. */
export interface ParsedTopology {
  readonly file: TopologyFile;
  readonly source: YamlSource;
}

type Issue = z.core.$ZodIssue;

function placeOf(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`));
  return parts.join("").replace(/^\./, "");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = (current as Readonly<Record<PropertyKey, unknown>>)[part];
  }
  return current;
}

function unknownKeys(issue: Extract<Issue, { code: "unrecognized_keys" }>, source: YamlSource) {
  const allowed = allowedKeys(issue.path);
  return issue.keys.map((key) => ({
    file: source.file,
    line: source.lineOf([...issue.path, key]),
    message: `unknown key "${key}"; ${suggestion(key, allowed, `allowed are ${allowed.join(", ")}`)}`,
  }));
}

/** A host is a word or a map: the branch that has the shape of what stands there says what is wrong with it. */
function describeUnion(
  issue: Extract<Issue, { code: "invalid_union" }>,
  source: YamlSource,
): readonly TopologyProblem[] {
  const given = valueAt(source.value, issue.path);
  const branch = typeof given === "object" ? issue.errors.at(-1) : issue.errors[0];
  return (branch ?? []).flatMap((inner) =>
    describeIssue({ ...inner, path: [...issue.path, ...inner.path] }, source),
  );
}

function describeIssue(issue: Issue, source: YamlSource): readonly TopologyProblem[] {
  if (issue.code === "unrecognized_keys") return unknownKeys(issue, source);
  if (issue.code === "invalid_union") return describeUnion(issue, source);
  const place = placeOf(issue.path) || "the file";
  const line = source.lineOf(issue.path);
  const given = valueAt(source.value, issue.path);
  if (given === undefined) {
    return [{ file: source.file, line, message: `${place} is missing: ${issue.message}` }];
  }
  if (issue.code === "invalid_value" && typeof given === "string") {
    const allowed = issue.values.map(String);
    const help = suggestion(given, allowed, "");
    const message = `${place} is "${given}"; allowed are ${allowed.join(", ")}${help === "" ? "" : `; ${help}`}`;
    return [{ file: source.file, line, message }];
  }
  const shown = JSON.stringify(given).slice(0, 60);
  return [{ file: source.file, line, message: `${place} is ${shown}: ${issue.message}` }];
}

/**
 * @param text content of a topology.yaml
 * @param file its path, for problems
 * @returns the checked file, or every problem at once
 */
export function parseTopology(
  text: string,
  file: string,
): ParsedTopology | { readonly problems: readonly TopologyProblem[] } {
  const source = parseYaml(text, file);
  if (source.problems.length > 0) return { problems: source.problems };
  const result = topologySchema.safeParse(source.value);
  if (result.success) return { file: result.data, source };
  return { problems: result.error.issues.flatMap((issue) => describeIssue(issue, source)) };
}
