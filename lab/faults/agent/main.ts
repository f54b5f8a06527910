/**
 * The program the lab runs inside a node's network namespace: `fault-agent do JSON` does operations and prints one line with their results,
 * `fault-agent relay JSON` relays until it is ended; `wipe`, `clock` and `disk` work on a node's volume.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { workOnDisk, type Reserve } from "./ballast.ts";
import { burst, connectOutcome, pour, roundTripMs } from "./probe.ts";
import { setClock, type ClockRequest } from "../clock/offset-file.ts";
import {
  RELAY_READY,
  type AgentOp,
  type AgentResult,
  type DiskRequest,
  type RelayRoute,
  type WipeRequest,
} from "./protocol.ts";
import { startRelay } from "./relay.ts";

/** iptables, tc and fallocate come with their own loader and libraries, so that they run on any base image. */
const TOOLS = "/tools";
const LOADER = [`${TOOLS}/ld.so`, "--library-path", `${TOOLS}/lib`];

function toolCommand(name: string): readonly string[] {
  return [...LOADER, `${TOOLS}/bin/${name}`];
}

function interfaceOf(address: string): string {
  const found = Object.entries(networkInterfaces()).find(([, entries]) =>
    (entries ?? []).some((entry) => entry.address === address),
  );
  if (found === undefined) throw new Error(`no interface has the address ${address}`);
  return found[0];
}

function resolved(argument: string): string {
  return argument.startsWith("@") ? interfaceOf(argument.slice(1)) : argument;
}

function run(argv: readonly string[]): AgentResult {
  const [name = "", ...rest] = argv.map(resolved);
  const [program = "", ...args] = [...toolCommand(name), ...rest];
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: "utf8",
    env: { XTABLES_LIBDIR: `${TOOLS}/xtables` },
  });
  if (error !== undefined) return { code: 127, text: error.message, value: null };
  return { code: status ?? 1, text: `${stdout}${stderr}`.trim(), value: null };
}

async function act(op: AgentOp): Promise<AgentResult> {
  switch (op.op) {
    case "run":
      return run(op.argv);
    case "connect":
      return { code: 0, text: await connectOutcome(op.host, op.port), value: null };
    case "ask":
      return { code: 0, text: "", value: await roundTripMs(`${op.host}:${op.port}`, op.role) };
    case "burst":
      return { code: 0, text: "", value: await burst(op.host, op.count) };
    case "pour": {
      const bits = await pour(op.host, resolved(op.device));
      return { code: 0, text: "", value: bits };
    }
  }
}

async function attempt(op: AgentOp): Promise<AgentResult> {
  try {
    return await act(op);
  } catch (error) {
    return { code: 1, text: error instanceof Error ? error.message : String(error), value: null };
  }
}

/** Measurements run side by side, changes in order. */
async function doAll(ops: readonly AgentOp[]): Promise<void> {
  const results: AgentResult[] = [];
  if (ops.every((op) => op.op === "connect"))
    results.push(...(await Promise.all(ops.map(attempt))));
  else for (const op of ops) results.push(await attempt(op));
  answer(results);
}

function answer(results: readonly AgentResult[]): void {
  process.stdout.write(`${JSON.stringify({ agent: "lab.agent/1", results })}\n`);
}

/** Removes what a folder holds but for some; the answer's value is what is left of the rest. */
function wipe({ folder, keep }: WipeRequest): void {
  const rest = (): string[] => readdirSync(folder).filter((name) => !keep.includes(name));
  for (const name of rest()) rmSync(join(folder, name), { recursive: true, force: true });
  answer([{ code: 0, text: "", value: rest().length }]);
}

/** Does one thing on a node's volume; the answer's text is what came of it, as JSON. */
async function tell(work: () => unknown): Promise<void> {
  try {
    answer([{ code: 0, text: JSON.stringify(await work()), value: null }]);
  } catch (error) {
    answer([
      { code: 1, text: error instanceof Error ? error.message : String(error), value: null },
    ]);
  }
}

const reserve: Reserve = (file, offset, bytes) => {
  const { code, text } = run(["fallocate", "-o", `${offset}`, "-l", `${bytes}`, file]);
  return code === 0 ? "" : `fallocate: ${text}`;
};

const [verb = "", json = "[]"] = process.argv.slice(2);
const request: unknown = JSON.parse(json);
if (verb === "relay") {
  const { routes, delayMs } = request as { routes: readonly RelayRoute[]; delayMs: number };
  await startRelay(routes, delayMs);
  process.stdout.write(`${RELAY_READY}\n`);
} else if (verb === "wipe") {
  wipe(request as WipeRequest);
} else if (verb === "clock") {
  const wanted = request as ClockRequest & { readonly folder: string };
  await tell(() => setClock(wanted.folder, wanted));
} else if (verb === "disk") {
  await tell(() => workOnDisk(request as DiskRequest, reserve));
} else {
  await doAll(request as readonly AgentOp[]);
}
