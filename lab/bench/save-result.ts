import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderResult, type BenchResult } from "./result.ts";

/**
 * Keeps a result: `result.json` for programs, `summary.txt` for people.
 * @param stateDir folder of the lab
 * @returns the folder of this run
 */
export function saveResult(stateDir: string, result: BenchResult): string {
  const stamp = result.startedAt.replace(/[:.]/g, "-");
  const directory = join(stateDir, "bench", stamp);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(join(directory, "summary.txt"), `${renderResult(result)}\n`);
  return directory;
}
