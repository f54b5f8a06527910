/** A topology of one's own: a copy of a preset to edit. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";
import { TOPOLOGY_FILE, loadTopologyFolder } from "./load.ts";
import type { Topology } from "./topology.ts";

const NAME_LINE = /^name:.*$/m;
const NAME_MAX = 31;

function nameFor(dir: string): string {
  const name = basename(dir)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, NAME_MAX);
  return name === "" ? "my-topology" : name;
}

/**
 * @param from topology to copy
 * @param dir folder to make; may exist when it is empty
 * @returns the new topology, checked
 * @throws EngineError LAB_CONFLICT when the folder holds something
 */
export function initTopology(from: Topology, dir: string): Topology {
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new EngineError("LAB_CONFLICT", {
      message: `${dir} is there already and not empty; nothing was written`,
      hint: "choose another folder, or empty that one first",
    });
  }
  mkdirSync(dir, { recursive: true });
  for (const file of readdirSync(from.dir)) copyFileSync(join(from.dir, file), join(dir, file));
  const path = join(dir, TOPOLOGY_FILE);
  const text = readFileSync(path, "utf8").replace(NAME_LINE, `name: ${nameFor(dir)}`);
  writeFileSync(path, text);
  return loadTopologyFolder(dir).topology;
}
