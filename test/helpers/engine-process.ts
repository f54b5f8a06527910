/** Our own programs as child processes, started the way a user starts them (`mqnamesrv -c`, `mqbroker -c`). */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { formatAddress } from "../../engine/remoting/remote-address.ts";
import { startChild, type LineChild } from "./child.ts";

const READY_MS = 20_000;

function listenOnce(port: number): Promise<number | null> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once("error", () => done(null));
    probe.listen(port, "127.0.0.1", () => {
      const address = probe.address();
      const taken = typeof address === "object" && address !== null ? address.port : null;
      probe.close(() => done(taken));
    });
  });
}

/** @returns a port p of 127.0.0.1 with p-2 (fast) and p+1 (HA) free as well */
export async function freeBrokerPort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = await listenOnce(0);
    if (port === null || port < 1_030 || port > 65_000) continue;
    const neighbours = await Promise.all([
      listenOnce(port - 2),
      listenOnce(port),
      listenOnce(port + 1),
    ]);
    if (neighbours.every((free) => free !== null)) return port;
  }
  throw new Error("no free block of ports on 127.0.0.1");
}

/** A running program and the address clients use. */
export interface EngineProcess extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  readonly child: LineChild;
  /** Folder with its property file and store; survives a restart. */
  readonly home: string;
}

function writeProperties(
  home: string,
  properties: Readonly<Record<string, string | number>>,
): string {
  mkdirSync(home, { recursive: true });
  const file = join(home, "server.properties");
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(file, lines.join(""));
  return file;
}

async function startProgram(
  bundle: string,
  home: string,
  properties: Readonly<Record<string, string | number>>,
): Promise<LineChild> {
  const file = writeProperties(home, properties);
  const child = startChild(process.execPath, [resolve("dist", bundle), "-c", file]);
  try {
    await child.waitForLine((line) => line.includes("boot success"), READY_MS);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return child;
}

/** Starts `mqnamesrv`. Pass `port` to restart one on its old address; `properties` win over the defaults here. */
export async function startNamesrvProcess(
  home: string,
  port?: number,
  properties: Readonly<Record<string, string>> = {},
): Promise<EngineProcess> {
  const listenPort = port ?? (await freeBrokerPort());
  const kvConfigPath = join(home, "kvConfig.json");
  const own = { listenPort, bindAddress: "127.0.0.1", kvConfigPath, ...properties };
  const child = await startProgram("mqnamesrv.mjs", home, own);
  return {
    address: formatAddress(own.bindAddress, listenPort),
    port: listenPort,
    child,
    home,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Starts `mqbroker` on 127.0.0.1 with a store below `home`; `properties` win over the defaults here. */
export async function startBrokerProcess(
  home: string,
  properties: Readonly<Record<string, string | number>>,
): Promise<EngineProcess> {
  const listenPort = Number(properties["listenPort"] ?? (await freeBrokerPort()));
  const all = {
    brokerClusterName: "DefaultCluster",
    brokerIP1: "127.0.0.1",
    brokerIP2: "127.0.0.1",
    bindAddress: "127.0.0.1",
    storePathRootDir: join(home, "store"),
    storePathCommitLog: join(home, "store", "commitlog"),
    mappedFileSizeCommitLog: 64 * 1_048_576,
    listenPort,
    ...properties,
  };
  const child = await startProgram("mqbroker.mjs", home, all);
  return {
    address: formatAddress(String(all.brokerIP1), listenPort),
    port: listenPort,
    child,
    home,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
