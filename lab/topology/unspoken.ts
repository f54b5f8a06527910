/** What a node may ask of its clients and the lab itself does not speak: it could neither see such a node nor say when it is ready. */
import type { PropertyEntry } from "../../engine/base/properties-file.ts";
import type { TopologyProblem } from "./problem.ts";

const UNSPOKEN: Readonly<Record<string, { readonly value: string; readonly why: string }>> = {
  aclEnable: { value: "true", why: "the lab signs no requests" },
  "tls.server.mode": { value: "enforcing", why: "the lab connects without TLS" },
};

/** @returns why a lab cannot run a node with this setting; null when it can */
export function unspokenReason(key: string, value: string): string | null {
  const found = Object.hasOwn(UNSPOKEN, key) ? UNSPOKEN[key] : undefined;
  if (found === undefined || value.trim().toLowerCase() !== found.value) return null;
  return `${key}=${found.value} is not for labs yet: ${found.why}, so it could not tell whether the node is ready; \`mqbroker -c\` and \`mqnamesrv -c\` run it`;
}

/** @param path of the property file, for problems @param entries its content; the last one of a key counts */
export function unspokenSettings(
  path: string,
  entries: readonly PropertyEntry[],
): readonly TopologyProblem[] {
  const last = new Map(entries.map((entry) => [entry.key, entry]));
  return [...last.values()].flatMap(({ key, value, line }) => {
    const message = unspokenReason(key, value);
    return message === null ? [] : [{ file: path, line, message }];
  });
}
