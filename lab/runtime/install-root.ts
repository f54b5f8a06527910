import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EngineError } from "../../engine/base/engine-error.ts";

function isInstallRoot(directory: string): boolean {
  const manifest = join(directory, "package.json");
  if (!existsSync(manifest)) return false;
  return /"name":\s*"rocketmq-lab"/.test(readFileSync(manifest, "utf8"));
}

/** @returns the folder of this installation: the one that holds package.json, `conf/` and `dist/` */
export function installRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let directory = start; ; directory = dirname(directory)) {
    if (isInstallRoot(directory)) return directory;
    if (dirname(directory) === directory) return dirname(start);
  }
}

/**
 * @param name `mqnamesrv`, `mqbroker` or `dashboard`
 * @returns path of the bundled program
 * @throws EngineError LAB_NOT_BUILT
 */
export function programFile(name: "mqnamesrv" | "mqbroker" | "dashboard"): string {
  const file = join(installRoot(), "dist", `${name}.mjs`);
  if (existsSync(file)) return file;
  throw new EngineError("LAB_NOT_BUILT", {
    message: `${file} is not there: the programs are not built`,
    hint: "run `npm run build`, then the command again",
  });
}
