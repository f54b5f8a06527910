/** The built `lab` command as a user runs it, with a home of its own. */
import { resolve } from "node:path";
import { runChild } from "./child.ts";

export interface LabResult {
  readonly code: number | null;
  readonly output: string;
}

/**
 * @param home value of LAB_HOME
 * @param args command line after `lab`
 * @param timeoutMs the command is killed after it
 */
export function lab(
  home: string,
  args: readonly string[],
  timeoutMs = 120_000,
): Promise<LabResult> {
  return runChild(process.execPath, [resolve("dist/lab.mjs"), ...args], {
    env: { LAB_HOME: home, NO_COLOR: "1" },
    timeoutMs,
  });
}

/** Like `lab`, and throws with the command's whole output unless it exits 0. */
export async function labOk(
  home: string,
  args: readonly string[],
  timeoutMs = 120_000,
): Promise<string> {
  const { code, output } = await lab(home, args, timeoutMs);
  if (code !== 0) throw new Error(`lab ${args.join(" ")} exited ${code}:\n${output}`);
  return output;
}

/** The one JSON document of a `--json` command. */
export async function labJson<Document>(
  home: string,
  args: readonly string[],
  timeoutMs = 120_000,
): Promise<Document> {
  const output = await labOk(home, [...args, "--json"], timeoutMs);
  const start = output.indexOf("{");
  return JSON.parse(output.slice(start, output.lastIndexOf("}") + 1)) as Document;
}
