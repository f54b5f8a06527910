import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type as systemType } from "node:os";
import { join } from "node:path";
import type { AdminClient } from "../../engine/admin/index.ts";
import { installRoot } from "../base/install-root.ts";
import type { LabRuntime } from "../runtime/runtime.ts";
import type { BenchEnvironment } from "./result.ts";
import type { MasterAddress } from "./topic-offsets.ts";

function ownVersion(): string {
  const text = readFileSync(join(installRoot(), "package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

async function brokerConfigs(
  admin: AdminClient,
  masters: readonly MasterAddress[],
): Promise<Record<string, Record<string, string>>> {
  const entries = masters.map(
    async ({ node, address }): Promise<[string, Record<string, string>]> => {
      const config = await admin.brokerConfig(address);
      return [node, Object.fromEntries([...config].toSorted(([a], [b]) => a.localeCompare(b)))];
    },
  );
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * @param runtime of the lab that is measured
 * @param admin client of its name servers
 * @param masters whose effective settings belong into the report
 */
export async function describeEnvironment(
  runtime: LabRuntime,
  admin: AdminClient,
  masters: readonly MasterAddress[],
): Promise<BenchEnvironment> {
  const processors = cpus();
  return {
    lab: runtime.allocation.name,
    preset: runtime.allocation.topology.name,
    runtime: runtime.kind,
    version: ownVersion(),
    node: process.version,
    cpu: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memoryBytes: totalmem(),
    kernel: `${systemType()} ${release()}`,
    brokerConfig: await brokerConfigs(admin, masters),
  };
}
