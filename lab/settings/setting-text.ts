/** `node.key=value` as a person types it after `--set`. */
import { EngineError } from "../../engine/base/engine-error.ts";
import { suggestion } from "../base/did-you-mean.ts";
import { resolveSelector, selectorNames } from "../topology/selectors.ts";
import type { LabNode, Topology } from "../topology/topology.ts";

/** One wish, taken apart. */
export interface SettingText {
  /** Node or group, as typed. */
  readonly selector: string;
  readonly key: string;
  readonly value: string;
  /** The whole text. */
  readonly text: string;
}

const SHAPE = /^([^.=\s]+)\.([A-Za-z][\w.]*)=(.*)$/s;
const LEFT_SIDE = /^([^.=\s]+)\.([A-Za-z][\w.]*)$/;
const EXAMPLE = "for example `--set @masters.flushDiskType=SYNC_FLUSH`";

/**
 * @param text as typed
 * @throws EngineError CLI_USAGE when it has another shape
 */
export function parseSetting(text: string): SettingText {
  const [, selector, key, value] = SHAPE.exec(text) ?? [];
  if (selector !== undefined && key !== undefined && value !== undefined && !/[\r\n]/.test(value))
    return { selector, key, value: value.trim(), text };
  throw new EngineError("CLI_USAGE", {
    message: `--set "${text}" is not node.key=value`,
    hint: EXAMPLE,
  });
}

/**
 * @param topology of the lab
 * @param setting whose nodes are wanted
 * @throws EngineError LAB_NODE_UNKNOWN with the nearest names
 */
export function nodesOfSetting(topology: Topology, setting: SettingText): readonly LabNode[] {
  const nodes = resolveSelector(topology, setting.selector);
  if (nodes.length > 0) return nodes;
  const known = [...topology.nodes.map((node) => node.name), ...selectorNames(topology)];
  throw new EngineError("LAB_NODE_UNKNOWN", {
    message: `--set ${setting.text}: this lab has no node or group "${setting.selector}"`,
    hint: suggestion(setting.selector, known, `there are ${known.join(", ")}`),
  });
}

/**
 * @param kept settings a lab has
 * @param change what is added (a later one of the same left side replaces an earlier one) and taken away
 * @returns what the lab has from now on
 * @throws EngineError CLI_USAGE when something that is not there is to be taken away
 */
export function mergeSettings(
  kept: readonly string[],
  change: { readonly set: readonly string[]; readonly unset: readonly string[] },
): readonly string[] {
  const merged = new Map(kept.map((text) => [leftSide(text), text]));
  for (const wish of change.unset) {
    if (LEFT_SIDE.test(wish) && merged.delete(wish)) continue;
    const there = [...merged.keys()];
    throw new EngineError("CLI_USAGE", {
      message: `--unset "${wish}": the lab has no such setting`,
      hint: suggestion(
        wish,
        there,
        there.length === 0 ? "it has none at all" : `it has ${there.join(", ")}`,
      ),
    });
  }
  for (const text of change.set) {
    parseSetting(text);
    // Deleted first, so that the newest wish also comes last and wins over a group's.
    merged.delete(leftSide(text));
    merged.set(leftSide(text), text);
  }
  return [...merged.values()];
}

function leftSide(text: string): string {
  return text.slice(0, text.indexOf("="));
}
