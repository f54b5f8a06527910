/**
 * Namespaced key-values (4.9's KVConfigManager), kept in one file, written on every change (admin-protocol B.3):
 * `{"configTable":{"NAMESPACE":{"key":"value"}}}`.
 */
import { EngineError } from "../base/engine-error.ts";
import { asObject, asText, parseFastjson, writeFastjson } from "../base/fastjson.ts";
import type { Logger } from "../base/logger.ts";
import { readStateFile, writeStateFile } from "../base/state-file.ts";
import type { Vfs } from "../base/vfs.ts";

/** The only namespace the product itself uses: topic → `broker-a:4;broker-b:4`. */
export const ORDER_TOPIC_CONFIG = "ORDER_TOPIC_CONFIG";

/** R-33, N-04. */
const NAME = /^[a-zA-Z0-9_.%|-]{1,255}$/;
const VALUE_BYTES_MAX = 65_536;
const ENTRIES_MAX = 10_000;

type Tables = Map<string, Map<string, string>>;

function refuse(message: string): never {
  throw new EngineError("NAMESRV_KV_INVALID", { message });
}

function parseTables(text: string): Tables {
  const tables = asObject(asObject(parseFastjson(text)).get("configTable"));
  return new Map(
    [...tables].map(([namespace, table]) => {
      const entries = [...asObject(table)].map(([key, value]) => [key, asText(value)] as const);
      return [namespace, new Map(entries)] as const;
    }),
  );
}

/** The KV table. A change that the disk refuses is not made. */
export class KvConfig {
  private readonly vfs: Vfs;
  private readonly path: string;
  private tables: Tables;

  /**
   * @param vfs where the file is
   * @param path kvConfigPath
   * @param logger told when the file was damaged and its copy was read
   * @throws EngineError STORE_LAYOUT_INVALID when the file and its copies are damaged
   */
  constructor(vfs: Vfs, path: string, logger: Logger) {
    this.vfs = vfs;
    this.path = path;
    const text = readStateFile(vfs, path, (message) => logger.warn(message));
    this.tables = text === null ? new Map() : parseTables(text);
  }

  /** @returns undefined when there is none */
  get(namespace: string, key: string): string | undefined {
    return this.tables.get(namespace)?.get(key);
  }

  /** @returns undefined when the namespace never existed */
  table(namespace: string): ReadonlyMap<string, string> | undefined {
    return this.tables.get(namespace);
  }

  /** @throws EngineError NAMESRV_KV_INVALID, or the system error when the disk refuses */
  put(namespace: string, key: string, value: string): void {
    if (!NAME.test(namespace) || !NAME.test(key)) {
      refuse("namespace and key must be 1 to 255 of the characters a-zA-Z0-9_.%|-");
    }
    if (Buffer.byteLength(value) > VALUE_BYTES_MAX) refuse("value is longer than 64 KiB");
    const changed = new Map(this.tables.get(namespace)).set(key, value);
    const others = [...this.tables].filter(([name]) => name !== namespace);
    const entries = others.reduce((sum, [, table]) => sum + table.size, changed.size);
    if (entries > ENTRIES_MAX) refuse(`there are ${ENTRIES_MAX} entries already`);
    this.replace(namespace, changed);
  }

  /** No error when it does not exist; the namespace stays, as in 4.9. @throws the system error when the disk refuses */
  delete(namespace: string, key: string): void {
    const table = this.tables.get(namespace);
    if (table === undefined || !table.has(key)) return;
    const changed = new Map(table);
    changed.delete(key);
    this.replace(namespace, changed);
  }

  private replace(namespace: string, table: Map<string, string>): void {
    const tables = new Map(this.tables).set(namespace, table);
    writeStateFile(this.vfs, this.path, writeFastjson({ configTable: tables }));
    this.tables = tables;
  }
}
