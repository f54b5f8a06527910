/** Who stands where gets the address that works there (DESIGN 3), and nobody gets the address of a node that is down. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asObject, asText, parseFastjson } from "../../engine/base/fastjson.ts";
import { REQUEST_CODE } from "../../engine/remoting/request-codes.ts";

import type { LabRuntime } from "../../lab/runtime/runtime.ts";
import { runChild } from "../helpers/child.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import {
  NEVER,
  allocationAt,
  ask,
  dockerLab,
  freeIndexes,
  quiet,
  removeLeftovers,
} from "../helpers/docker-lab.ts";
import { machineHas } from "../helpers/requirements.ts";

const READY = { timeout: 15_000, interval: 200 };

/** Broker addresses by `brokerName/brokerId`. */
type Addresses = Readonly<Record<string, string>>;

/** @param text cluster information as fastjson writes it, with bare numbers for keys */
function addressesIn(text: string): Addresses {
  const brokers = asObject(asObject(parseFastjson(text)).get("brokerAddrTable"));
  return Object.fromEntries(
    [...brokers].flatMap(([name, broker]) =>
      [...asObject(asObject(broker).get("brokerAddrs"))].map(([id, address]) => [
        `${name}/${id}`,
        asText(address),
      ]),
    ),
  );
}

/** Run in a container: asks a name server for the cluster, prints the body of the answer (frame: remoting-protocol 1.1). */
function askFromInside(address: string): string {
  const [host, port] = address.split(":");
  return `
    const header = Buffer.from(JSON.stringify({ code: ${REQUEST_CODE.GET_BROKER_CLUSTER_INFO}, flag: 0, language: "JAVA", opaque: 1, version: 393 }));
    const head = Buffer.alloc(8); head.writeInt32BE(header.length + 4, 0); head.writeInt32BE(header.length, 4);
    let read = Buffer.alloc(0);
    const socket = require("node:net").connect(${port}, "${host}", () => socket.write(Buffer.concat([head, header])));
    socket.setTimeout(5000, () => process.exit(1));
    socket.on("data", (chunk) => {
      read = Buffer.concat([read, chunk]);
      if (read.length < 4 || read.length < 4 + read.readInt32BE(0)) return;
      console.log(read.subarray(8 + read.readInt32BE(4)).toString());
      socket.destroy();
    });`;
}

describe.runIf(machineHas("docker", "docker-compose", "linux"))("addresses in Docker", () => {
  const cleanup = new Cleanup();
  let runtime: LabRuntime;
  /** First address of the lab's block, as a number. */
  let base = 0;
  let ports = 0;

  beforeAll(async () => {
    await removeLeftovers("horizon");
    const [index] = await freeIndexes();
    if (index === undefined) throw new Error("this test needs a free block of ports and subnets");
    base = index * 64;
    ports = index * 1_000;
    const lab = await dockerLab(allocationAt("horizon", index, "2m-2s-sync"));
    runtime = cleanup.use(lab).runtime;
    await runtime.up(quiet, NEVER);
  });
  afterAll(() => cleanup[Symbol.asyncDispose]());

  async function fromMachine(): Promise<Addresses> {
    const answer = await ask(`127.0.0.1:${9_876 + ports}`, {
      code: REQUEST_CODE.GET_BROKER_CLUSTER_INFO,
    });
    return addressesIn(answer.body?.toString("utf8") ?? "{}");
  }

  async function inNode(node: string, script: string): Promise<string> {
    const name = `horizon-${node}`;
    const { code, output } = await runChild("docker", ["exec", name, "node", "-e", script], {
      timeoutMs: 20_000,
    });
    if (code !== 0) throw new Error(`exit ${code}: ${output}`);
    return output;
  }

  async function asVisitor(script: string): Promise<string> {
    const access = runtime.containerAccess?.();
    const args = ["run", "--rm", "--network", access?.network ?? "", access?.image ?? ""];
    const { code, output } = await runChild("docker", [...args, "node", "-e", script], {
      timeoutMs: 20_000,
    });
    if (code !== 0) throw new Error(`exit ${code}: ${output}`);
    return output;
  }

  const inLab = (last: number): string => `198.51.100.${base + last}`;

  it("a client on the machine is told published ports of 127.0.0.1", async () => {
    await expect.poll(fromMachine, READY).toEqual({
      "broker-a/0": `127.0.0.1:${10_911 + ports}`,
      "broker-a/1": `127.0.0.1:${11_011 + ports}`,
      "broker-b/0": `127.0.0.1:${10_921 + ports}`,
      "broker-b/1": `127.0.0.1:${11_021 + ports}`,
    });
  });

  it("a container in the lab's internet network is told addresses of that network", async () => {
    const namesrv = runtime.containerAccess?.().namesrvAddrs[0] ?? "";
    const seen = async (): Promise<Addresses> =>
      addressesIn(await asVisitor(askFromInside(namesrv)));
    await expect.poll(seen, READY).toEqual({
      "broker-a/0": `${inLab(35)}:10911`,
      "broker-a/1": `${inLab(49)}:11011`,
      "broker-b/0": `${inLab(50)}:10911`,
      "broker-b/1": `${inLab(36)}:11011`,
    });
  });

  it("a process on host-1 is told its neighbours' addresses in host-1's own network, all others' in the internet", async () => {
    const script = askFromInside("rocketmq-nameserver1:9876");
    const seen = async (): Promise<Addresses> => addressesIn(await inNode("dashboard", script));
    await expect.poll(seen, READY).toEqual({
      "broker-a/0": `${inLab(3)}:10911`,
      "broker-a/1": `${inLab(49)}:11011`,
      "broker-b/0": `${inLab(50)}:10911`,
      "broker-b/1": `${inLab(4)}:11011`,
    });
  });

  it("a guest never gets the address of a node that is down", async () => {
    await runtime.kill("broker-b-slave");
    await runtime.kill("namesrv-2");
    const own =
      "console.log(Object.values(require('os').networkInterfaces()).flat().map((a) => a.address).join(' '))";
    const guests = await Promise.all([asVisitor(own), asVisitor(own), asVisitor(own)]);
    const visitors = guests.map((text) => Number(/198\.51\.100\.(\d+)/.exec(text)?.[1]) - base);
    for (const last of visitors) {
      expect(last).toBeGreaterThanOrEqual(56);
      expect(last).toBeLessThan(63);
    }
    await runtime.up(quiet, NEVER);
    await expect.poll(async () => Object.keys(await fromMachine()).length, READY).toBe(4);
  });
});
