/** What the lab must know of a broker's property file; the broker itself reads and checks all of it. */
import type { PropertyEntry } from "../../engine/base/properties-file.ts";
import type { LabNode } from "./topology.ts";
import type { TopologyProblem } from "./problem.ts";

/** The broker settings the rest of the lab works with. */
export type BrokerSettings = NonNullable<LabNode["broker"]>;

/** Settings and where each of them stands. */
export interface BrokerFile {
  readonly settings: BrokerSettings;
  readonly listenPort: number;
  /** Name servers as the file names them, each `host:port`. */
  readonly namesrvAddrs: readonly string[];
  /** Line of a key; null when the key is not there and its default holds. */
  lineOf(key: string): number | null;
}

const DEFAULT_LISTEN_PORT = 10_911;
const ROLES = ["ASYNC_MASTER", "SYNC_MASTER", "SLAVE"] as const;
const FLUSH_TYPES = ["ASYNC_FLUSH", "SYNC_FLUSH"] as const;

/** Looks keys up in a file's entries and notes what is wrong with them. */
class PropertyReader {
  readonly problems: TopologyProblem[] = [];
  private readonly file: string;
  private readonly entries: ReadonlyMap<string, PropertyEntry>;

  constructor(file: string, entries: readonly PropertyEntry[]) {
    this.file = file;
    this.entries = new Map(entries.map((entry) => [entry.key, entry]));
  }

  lineOf(key: string): number | null {
    return this.entries.get(key)?.line ?? null;
  }

  text(key: string, otherwise: string): string {
    return this.entries.get(key)?.value ?? otherwise;
  }

  required(key: string): string {
    const value = this.text(key, "");
    if (value === "") this.wrong(key, `${key} is missing: the lab needs it in the file`);
    return value;
  }

  integer(key: string, otherwise: number): number {
    const value = this.text(key, String(otherwise));
    if (/^\d{1,9}$/.test(value)) return Number(value);
    this.wrong(key, `${key} is "${value}", not a whole number; comments need lines of their own`);
    return otherwise;
  }

  oneOf<Choice extends string>(key: string, choices: readonly [Choice, ...Choice[]]): Choice {
    const value = this.text(key, choices[0]);
    const choice = choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    this.wrong(key, `${key} is "${value}"; allowed are ${choices.join(", ")}`);
    return choices[0];
  }

  private wrong(key: string, message: string): void {
    this.problems.push({ file: this.file, line: this.lineOf(key), message });
  }
}

/**
 * @param name file name, as topology.yaml has it
 * @param path of the file, for problems
 * @param entries its content
 * @returns the settings with 4.9's defaults (admin-protocol D.4), and what cannot be read
 */
export function readBrokerFile(
  name: string,
  path: string,
  entries: readonly PropertyEntry[],
): { readonly broker: BrokerFile; readonly problems: readonly TopologyProblem[] } {
  const reader = new PropertyReader(path, entries);
  const settings: BrokerSettings = {
    propertiesFile: name,
    clusterName: reader.text("brokerClusterName", "DefaultCluster"),
    brokerName: reader.required("brokerName"),
    brokerId: reader.integer("brokerId", 0),
    brokerRole: reader.oneOf("brokerRole", ROLES),
    flushDiskType: reader.oneOf("flushDiskType", FLUSH_TYPES),
  };
  const listenPort = reader.integer("listenPort", DEFAULT_LISTEN_PORT);
  const namesrvAddrs = reader
    .required("namesrvAddr")
    .split(";")
    .map((address) => address.trim())
    .filter((address) => address !== "");
  const lineOf = (key: string): number | null => reader.lineOf(key);
  return { broker: { settings, listenPort, namesrvAddrs, lineOf }, problems: reader.problems };
}
