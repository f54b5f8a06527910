/**
 * What name servers tell an asker who stands here, and whether that is reachable from here: each address is connected to, and asked over its own
 * protocol, because a connection alone proves nothing (docker-lab 1.8). Runs on the machine and, bundled, in containers.
 */
import { connect } from "node:net";
import { z } from "zod";
import { createAdminClient, type AdminClient } from "../../../engine/admin/index.ts";

const TIMEOUT_MS = 3_000;

export const probedSchema = z.strictObject({
  kind: z.enum(["namesrv", "broker"]),
  /** Broker name and id; a name server's address. */
  name: z.string(),
  brokerId: z.int().nullable(),
  /** As told; where the connection goes. */
  address: z.string(),
  /** Milliseconds; null when it failed. */
  connectMs: z.number().nullable(),
  roundTripMs: z.number().nullable(),
  /** Empty when both went well. */
  error: z.string(),
});

/** One address as tried from one place. */
export type Probed = z.infer<typeof probedSchema>;

type Target = Pick<Probed, "kind" | "name" | "brokerId" | "address">;

async function timed<Value>(
  work: () => Promise<Value>,
): Promise<{ readonly ms: number; readonly value: Value }> {
  const begun = performance.now();
  const value = await work();
  return { ms: Math.round((performance.now() - begun) * 100) / 100, value };
}

/** Connects and hangs up. @throws Error when no connection comes about in 3 s */
export function tryConnect(address: string): Promise<void> {
  const colon = address.lastIndexOf(":");
  const [host, port] = [address.slice(0, colon), Number(address.slice(colon + 1))];
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const end = (error?: Error): void => {
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.setTimeout(TIMEOUT_MS, () => end(new Error(`no connection in ${TIMEOUT_MS} ms`)));
    socket.once("connect", () => end());
    socket.once("error", end);
  });
}

async function probe<Answer>(
  target: Target,
  ask: () => Promise<Answer>,
): Promise<{ readonly probed: Probed; readonly answer: Answer | null }> {
  let connectMs: number | null = null;
  try {
    connectMs = (await timed(() => tryConnect(target.address))).ms;
    const { ms, value } = await timed(ask);
    return { probed: { ...target, connectMs, roundTripMs: ms, error: "" }, answer: value };
  } catch (cause) {
    const error = cause instanceof Error ? cause.message : String(cause);
    return { probed: { ...target, connectMs, roundTripMs: null, error }, answer: null };
  }
}

async function probeNamesrv(admin: AdminClient, address: string) {
  const target = { kind: "namesrv", name: address, brokerId: null, address } as const;
  const { probed, answer } = await probe(target, () => admin.clusterInfo(address));
  const brokers = (answer?.brokers ?? []).flatMap(({ brokerName, brokerAddrs }) =>
    [...brokerAddrs].map(([brokerId, told]): Target => ({
      kind: "broker",
      name: brokerName,
      brokerId,
      address: told,
    })),
  );
  return { probed, brokers };
}

/**
 * @param namesrvAddrs name servers as an asker here reaches them
 * @returns the name servers in the order given, then every address of a broker that any of them told, once
 */
export async function probeAddresses(namesrvAddrs: readonly string[]): Promise<readonly Probed[]> {
  const admin = createAdminClient({ namesrvAddrs, timeoutMs: TIMEOUT_MS });
  try {
    const asked = await Promise.all(namesrvAddrs.map((address) => probeNamesrv(admin, address)));
    const told = new Map<string, Target>();
    for (const target of asked.flatMap((entry) => entry.brokers)) {
      told.set(`${target.name} ${target.brokerId ?? ""} ${target.address}`, target);
    }
    const brokers = await Promise.all(
      [...told.values()].map((target) => probe(target, () => admin.runtimeInfo(target.address))),
    );
    return [...asked.map((entry) => entry.probed), ...brokers.map((entry) => entry.probed)];
  } finally {
    admin.close();
  }
}
