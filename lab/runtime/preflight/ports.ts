/** Are the ports free that a lab publishes on 127.0.0.1, and if not, who has them? */
import { createServer } from "node:net";
import { EngineError } from "../../../engine/base/engine-error.ts";
import type { LabNode } from "../../topology/topology.ts";
import { findPortOwner } from "./port-owner.ts";

/** A port somebody wants. */
export interface PortClaim {
  readonly node: string;
  readonly port: number;
}

/** Names the holder of a port in words; null when it does not know. */
export type NameHolder = (port: number) => Promise<string | null>;

/** @returns what the nodes will listen on, on 127.0.0.1 */
export function portClaims(nodes: readonly LabNode[]): readonly PortClaim[] {
  return nodes.flatMap((node) =>
    node.ports.flatMap(({ published }) =>
      published === null ? [] : [{ node: node.name, port: published }],
    ),
  );
}

/** Takes the port for a moment, the only test that tells what a server would find. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () =>
      probe.close(() => resolve(true)),
    );
  });
}

async function describe(claim: PortClaim, nameHolder: NameHolder): Promise<string> {
  const named = await nameHolder(claim.port);
  const owner = named === null ? findPortOwner(claim.port) : null;
  const process = owner === null ? "another program" : `process ${owner.pid} (${owner.command})`;
  return `127.0.0.1:${claim.port}, wanted by ${claim.node}, is held by ${named ?? process}`;
}

/**
 * @param claims ports wanted
 * @param nameHolder asked first, for holders that are no plain process (a container)
 * @throws EngineError LAB_PORT_TAKEN naming for every node the first taken port and its holder
 */
export async function checkPorts(
  claims: readonly PortClaim[],
  nameHolder: NameHolder = () => Promise.resolve(null),
): Promise<void> {
  const free = await Promise.all(claims.map((claim) => isFree(claim.port)));
  // A node's second port is nearly always held by whoever has the first.
  const taken = claims
    .filter((_claim, index) => free[index] === false)
    .filter((claim, index, all) => all.findIndex(({ node }) => node === claim.node) === index);
  if (taken.length === 0) return;
  const lines = await Promise.all(taken.map((claim) => describe(claim, nameHolder)));
  throw new EngineError("LAB_PORT_TAKEN", {
    message: lines.join("\n"),
    hint: "stop the holder, or choose another block of ports with `lab up --index 1` (adds 1000 to each)",
  });
}
