import { withProperties, type PropertyEntry } from "../base/properties-file.ts";
import { writeStateFile } from "../base/state-file.ts";
import type { Vfs } from "../base/vfs.ts";
import { updatedConfig, type NamesrvConfig } from "./namesrv-config.ts";

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
