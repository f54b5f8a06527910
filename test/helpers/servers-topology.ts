import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HOSTS_LINE = "hosts: [host-1, host-2]";

/** Two entries that are right. */
export const SERVER_ENTRIES = [
  "{ name: host-1, engine: tcp://server-1.example:2375, address: 203.0.113.1 }",
  "{ name: host-2, engine: ssh://lab@server-2.example, address: 203.0.113.2, bind: 10.0.0.2 }",
] as const;

/** A copy of a preset whose hosts are written as given, in a folder that goes with `using`. */
export function serversTopology(
  entries: readonly string[] = SERVER_ENTRIES,
): Disposable & { readonly dir: string } {
  const dir = mkdtempSync(join(tmpdir(), "lab-servers-"));
  cpSync("conf/2m-2s-sync", dir, { recursive: true });
  const file = join(dir, "topology.yaml");
  const text = readFileSync(file, "utf8");
  const hosts = ["hosts:", ...entries.map((entry) => `  - ${entry}`)].join("\n");
  if (!text.includes(HOSTS_LINE)) throw new Error(`no line "${HOSTS_LINE}"`);
  writeFileSync(file, text.replace(HOSTS_LINE, hosts));
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}
