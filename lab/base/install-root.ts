import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function isInstallRoot(directory: string): boolean {
  const manifest = join(directory, "package.json");
  if (!existsSync(manifest)) return false;
  return /"name":\s*"rocketmq-lab"/.test(readFileSync(manifest, "utf8"));
}

/**
 * Finds this installation from wherever the code runs: the source tree, the bundle in `dist/`, or `node_modules/rocketmq-lab`.
 * @returns the folder that holds package.json, `conf/`, `docker/` and `dist/`
 */
export function installRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let directory = start; ; directory = dirname(directory)) {
    if (isInstallRoot(directory)) return directory;
    if (dirname(directory) === directory) return dirname(start);
  }
}
