/**
 * Whether single ports can be reached from where this runs. A connection alone proves nothing (docker-lab 1.8), so what speaks a protocol is asked
 * one question; a replication port only tells that it listens. Runs on the machine and, bundled, in containers.
 */
import { z } from "zod";
import { createAdminClient } from "../../../engine/admin/index.ts";
import { httpStatus } from "../../base/http-status.ts";
import { tryConnect } from "./probe-addresses.ts";

const TIMEOUT_MS = 3_000;

export const portTargetSchema = z.strictObject({
  address: z.string(),
  /** What listens there. */
  what: z.enum(["namesrv", "broker", "fast", "ha", "dashboard"]),
  /** Nobody needs to listen there: a refusal proves that packets come through. */
  mayRefuse: z.boolean(),
});

export const portProbedSchema = z.strictObject({
  address: z.string(),
  /** Milliseconds until the answer; null when none came. */
  ms: z.number().nullable(),
  /** Empty when it did. */
  error: z.string(),
});

export type PortTarget = z.infer<typeof portTargetSchema>;
export type PortProbed = z.infer<typeof portProbedSchema>;

async function askProtocol({ address, what }: PortTarget): Promise<void> {
  const admin = createAdminClient({ namesrvAddrs: [address], timeoutMs: TIMEOUT_MS });
  try {
    if (what === "namesrv") await admin.clusterInfo(address);
    else await admin.runtimeInfo(address);
  } finally {
    admin.close();
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
}

async function ask(target: PortTarget): Promise<void> {
  await tryConnect(target.address).catch((error: unknown) => {
    if (!target.mayRefuse || !isRefusal(error)) throw error;
  });
  if (target.what === "ha") return;
  if (target.what === "dashboard")
    await httpStatus(`http://${target.address}/api/health`, TIMEOUT_MS);
  else await askProtocol(target);
}

/** @returns one entry a target, in order */
export function probePorts(targets: readonly PortTarget[]): Promise<readonly PortProbed[]> {
  return Promise.all(
    targets.map(async (target): Promise<PortProbed> => {
      const { address } = target;
      const begun = performance.now();
      try {
        await ask(target);
        return { address, ms: Math.round((performance.now() - begun) * 100) / 100, error: "" };
      } catch (error) {
        return { address, ms: null, error: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}
