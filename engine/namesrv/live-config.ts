import { parseProperties, type PropertyEntry } from "../base/properties-file.ts";
import { writeStateFile } from "../base/state-file.ts";
import type { Vfs } from "../base/vfs.ts";
import { updatedConfig, type NamesrvConfig } from "./namesrv-config.ts";

/**
 * Sets keys in property text and leaves every other line as it is, comments too (4.9 rewrites the whole file, admin-protocol D.5).
 * @param text the file
 * @param entries what to set
 * @param file its name, for errors
 */
export function withProperties(
  text: string,
  entries: readonly PropertyEntry[],
  file: string,
): string {
  const lines = text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
  for (const { key, value } of entries) {
    const present = parseProperties(lines.join("\n"), file).findLast((entry) => entry.key === key);
    const line = present === undefined ? undefined : lines[present.line - 1];
    // The last setting of a key wins, so one that runs over several lines is left alone and a new one put after it.
    const at = line === undefined || line.endsWith("\\") ? lines.length : (present?.line ?? 0) - 1;
    lines[at] = `${key}=${value}`;
  }
  return `${lines.join("\n")}\n`;
}

/** The settings in force: UPDATE_NAMESRV_CONFIG changes them, first in the file, then here. */
export class LiveConfig {
  private readonly vfs: Vfs;
  private config: NamesrvConfig;

  /**
   * @param vfs where configStorePath is
   * @param config as loaded
   */
  constructor(vfs: Vfs, config: NamesrvConfig) {
    this.vfs = vfs;
    this.config = config;
  }

  get current(): NamesrvConfig {
    return this.config;
  }

  /**
   * @param entries keys that may change at run time
   * @throws EngineError NAMESRV_CONFIG_INVALID on a bad value, or the system error when the file cannot be written; nothing is changed
   */
  update(entries: readonly PropertyEntry[]): void {
    const changed = updatedConfig(this.config, entries);
    const path = this.config.configStorePath;
    const text = withProperties(this.vfs.readText(path) ?? "", entries, path);
    writeStateFile(this.vfs, path, text);
    this.config = changed;
  }
}
