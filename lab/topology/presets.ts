/** The modes that come with the project: one folder each below `conf/`. */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { EngineError } from "../../engine/base/engine-error.ts";
import { suggestion } from "../base/did-you-mean.ts";
import { installRoot } from "../base/install-root.ts";
import { TOPOLOGY_FILE, loadTopologyFolder, type LoadedTopology } from "./load.ts";
import type { Topology } from "./topology.ts";

/** From the smallest to the safest; folders not named here follow in alphabetical order. */
const ORDER: readonly string[] = ["1m", "2m-noslave", "2m-2s-async", "2m-2s-sync"];

function presetsFolder(): string {
  return join(installRoot(), "conf");
}

/** @returns names of the presets, simplest first */
export function presetNames(): readonly string[] {
  const folder = presetsFolder();
  const rank = (name: string): number =>
    ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length;
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, TOPOLOGY_FILE)))
    .map((entry) => entry.name)
    .toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** @returns all presets, simplest first */
export function listPresets(): readonly Topology[] {
  return presetNames().map((name) => loadTopologyFolder(join(presetsFolder(), name)).topology);
}

function looksLikePath(nameOrPath: string): boolean {
  return /[/\\]|^\.{1,2}$/.test(nameOrPath);
}

/**
 * @param nameOrPath name of a preset, or a folder with a topology.yaml (with a slash, or `.`, or just its name in the current folder)
 * @param cwd folder a relative path starts from
 * @throws EngineError TOPOLOGY_NOT_FOUND with the nearest names | TOPOLOGY_INVALID
 */
export function loadTopology(nameOrPath: string, cwd: string): LoadedTopology {
  const path = resolve(cwd, nameOrPath);
  const names = presetNames();
  if (looksLikePath(nameOrPath)) return loadTopologyFolder(path);
  if (names.includes(nameOrPath)) return loadTopologyFolder(join(presetsFolder(), nameOrPath));
  if (existsSync(join(path, TOPOLOGY_FILE))) return loadTopologyFolder(path);
  throw new EngineError("TOPOLOGY_NOT_FOUND", {
    message: `"${nameOrPath}" is neither a preset nor a folder with a ${TOPOLOGY_FILE}`,
    hint: suggestion(nameOrPath, names, `presets are ${names.join(", ")}`),
  });
}
