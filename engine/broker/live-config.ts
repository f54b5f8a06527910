/**
 * Settings that change while the broker runs (UPDATE_BROKER_CONFIG; admin-protocol D.5, faults-and-security D-15, R-31). The one object
 * everybody reads is changed in place; the property file keeps its comments and gets the new lines.
 */
import { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import { withProperties, type PropertyEntry } from "../base/properties-file.ts";
import { writeStateFile } from "../base/state-file.ts";
import type { Vfs } from "../base/vfs.ts";
import { configValue, type BrokerConfig } from "./broker-config.ts";
import type { DataVersion } from "./broker-context.ts";

/**
 * D-15: permission, automatic creation, retention and ratios; and policies that are looked up at every request. Never a path, an address, a
 * port, a role, a name or a limit something was sized with.
 */
const CHANGEABLE: ReadonlySet<string> = new Set([
  "accessMessageInMemoryMaxRatio",
  "autoCreateSubscriptionGroup",
  "autoCreateTopicEnable",
  "autoDeleteUnusedStats",
  "brokerPermission",
  "deleteWhen",
  "diskMaxUsedSpaceRatio",
  "enableScheduleMessageStats",
  "fileReservedTime",
  "longPollingEnable",
  "notifyConsumerIdsChangedEnable",
  "rejectTransactionMessage",
  "shortPollingTimeMills",
  "slaveReadEnable",
  "startAcceptSendRequestTimeStamp",
]);

const HOURS = /^([01]\d|2[0-3])(;([01]\d|2[0-3]))*$/;

/** What it needs of the broker. */
export interface LiveConfigWiring {
  readonly config: BrokerConfig;
  readonly vfs: Vfs;
  readonly logger: Logger;
  readonly now: () => number;
  /** Undefined: started without `-c`; changes last until the next start. */
  readonly configFile: string | undefined;
}

/** The one owner of changes to the configuration. */
export class LiveBrokerConfig {
  version: DataVersion;
  private readonly wiring: LiveConfigWiring;

  constructor(wiring: LiveConfigWiring) {
    this.wiring = wiring;
    this.version = { counter: 0, timestamp: wiring.now() };
  }

  /** @returns the first key that may not be changed at run time, or undefined */
  forbiddenKey(entries: readonly PropertyEntry[]): string | undefined {
    return entries.find((entry) => !CHANGEABLE.has(entry.key))?.key;
  }

  /**
   * Applies all entries or none, then writes them down.
   * @param entries keys that forbiddenKey has let pass
   * @returns null, or why the change will be gone after a restart
   * @throws EngineError BROKER_CONFIG_INVALID on a bad value; nothing is changed
   */
  update(entries: readonly PropertyEntry[]): string | null {
    const values = entries.map((entry) => [entry.key, this.checked(entry)] as const);
    Object.assign(this.wiring.config, Object.fromEntries(values));
    this.version = { counter: this.version.counter + 1, timestamp: this.wiring.now() };
    return this.persist(entries);
  }

  private checked(entry: PropertyEntry): string | number | boolean {
    if (entry.key === "deleteWhen" && !HOURS.test(entry.value)) {
      throw new EngineError("BROKER_CONFIG_INVALID", {
        message: `deleteWhen must be hours from 00 to 23 such as 04 or 04;16, not ${entry.value}`,
      });
    }
    return configValue(entry);
  }

  /** As 4.9, a file that cannot be written does not undo the change; unlike 4.9 the answer says so. */
  private persist(entries: readonly PropertyEntry[]): string | null {
    const { configFile, vfs, logger } = this.wiring;
    if (configFile === undefined) return "in force until the next start: there is no property file";
    try {
      writeStateFile(
        vfs,
        configFile,
        withProperties(vfs.readText(configFile) ?? "", entries, configFile),
      );
      return null;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error("a changed setting could not be written down", { file: configFile, reason });
      return `in force until the next start: the property file could not be written (${reason})`;
    }
  }
}
