import { existsSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";
import { installRoot } from "../base/install-root.ts";

/**
 * @param name `mqnamesrv`, `mqbroker`, `dashboard`, `reaper` or what is loaded before them
 * @returns path of the bundled program
 * @throws EngineError LAB_NOT_BUILT
 */
export function programFile(
  name: "mqnamesrv" | "mqbroker" | "dashboard" | "reaper" | "clock",
): string {
  const file = join(installRoot(), "dist", `${name}.mjs`);
  if (existsSync(file)) return file;
  throw new EngineError("LAB_NOT_BUILT", {
    message: `${file} is not there: the programs are not built`,
    hint: "run `npm run build`, then the command again",
  });
}
