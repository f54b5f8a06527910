/** The program itself: what it prints, what it refuses, how it ends (admin-protocol D.1, faults-and-security S-03, S-08). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BrokerPeer, recordsOf } from "../../helpers/broker-peer.ts";
import { runChild } from "../../helpers/child.ts";
import {
  freeBrokerPort,
  startBrokerProcess,
  startNamesrvProcess,
} from "../../helpers/engine-process.ts";

let home = "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-mqbroker-"));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function mqbroker(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return runChild(process.execPath, [resolve("dist/mqbroker.mjs"), ...args], {
    env: { HOME: home, ...env },
    timeoutMs: 20_000,
  });
}

function propertyFile(text: string): string {
  const file = join(home, "broker.properties");
  writeFileSync(file, text);
  return file;
}

describe("mqbroker", () => {
  it("-h prints its options, an unknown one ends with 2", async () => {
    expect(await mqbroker(["-h"])).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^usage: mqbroker/),
    });
    expect((await mqbroker(["--nonsense"])).code).toBe(2);
  });

  it("-p prints every setting, -m the 34 important ones, and neither starts anything", async () => {
    const file = propertyFile("brokerName=broker-b\nlistenPort=20911\n");
    const all = await mqbroker(["-c", file, "-p", "-n", "10.0.0.1:9876"]);
    expect(all.code).toBe(0);
    expect(all.output).toContain("brokerName=broker-b");
    expect(all.output).toContain("haListenPort=20912");
    expect(all.output).toContain("namesrvAddr=10.0.0.1:9876");
    const important = await mqbroker(["-c", file, "-m"]);
    expect(important.output.trim().split("\n")).toHaveLength(34);
  });

  it("ROCKETMQ_OVERRIDES wins over the file", async () => {
    const file = propertyFile("brokerName=broker-b\n");
    const env = { ROCKETMQ_OVERRIDES: "brokerName=broker-c\nlistenPort=30911" };
    const { output } = await mqbroker(["-c", file, "-p"], env);
    expect(output).toContain("brokerName=broker-c");
    expect(output).toContain("listenPort=30911");
  });

  it("ends with 2 and names file and line of every mistake", async () => {
    const file = propertyFile("brokerName=broker-a\nbrokerRolle=SLAVE\nbrokerId=x\n");
    const { code, output } = await mqbroker(["-c", file]);
    expect(code).toBe(2);
    expect(output).toContain(`${file}:2: there is no key brokerRolle, did you mean brokerRole?`);
    expect(output).toContain(`${file}:3: brokerId is not a whole number: x`);
    expect((await mqbroker(["-c", join(home, "missing.properties")])).code).toBe(2);
  });

  it("prints Apache's line when it is up, keeps what it has through SIGTERM, and leaves the name server", async () => {
    await using namesrv = await startNamesrvProcess(join(home, "namesrv"));
    const properties = { brokerName: "broker-a", namesrvAddr: namesrv.address };
    await using broker = await startBrokerProcess(join(home, "broker"), properties);
    expect(broker.child.lines).toContain(
      `The broker[broker-a, ${broker.address}] boot success. serializeType=JSON and name server is ${namesrv.address}`,
    );
    using peer = await BrokerPeer.connect(broker.address);
    expect((await peer.send("Kept", "one")).code).toBe(0);
    using asker = await BrokerPeer.connect(namesrv.address);
    expect((await asker.ask({ code: 106 })).body.toString()).toContain("broker-a");
    broker.child.kill("SIGTERM");
    expect(await broker.child.exited).toEqual({ code: 0, signal: null });
    expect((await asker.ask({ code: 106 })).body.toString()).not.toContain("broker-a");

    await using again = await startBrokerProcess(join(home, "broker"), properties);
    using reader = await BrokerPeer.connect(again.address);
    expect(recordsOf((await reader.pull("Kept")).body)).toHaveLength(1);
    expect((await reader.send("Kept", "two")).ext["queueOffset"]).toBe("1");
  });

  it("S-08: a second broker on the same store ends with 75 before it touches a byte", async () => {
    await using first = await startBrokerProcess(join(home, "broker"), { brokerName: "broker-a" });
    const port = await freeBrokerPort();
    const overrides = `listenPort=${port}`;
    const file = join(first.home, "server.properties");
    const { code, output } = await mqbroker(["-c", file], { ROCKETMQ_OVERRIDES: overrides });
    expect(code).toBe(75);
    expect(output).toMatch(/store|lock/i);
  });

  it("S-06: a damaged state file ends with 65 and names the file", async () => {
    mkdirSync(join(home, "store", "config"), { recursive: true });
    writeFileSync(join(home, "store", "config", "topics.json"), "{");
    const port = await freeBrokerPort();
    const file = propertyFile(
      `storePathRootDir=${home}/store\nlistenPort=${port}\nbindAddress=127.0.0.1\nmappedFileSizeCommitLog=1048576\n`,
    );
    const { code, output } = await mqbroker(["-c", file]);
    expect(code).toBe(65);
    expect(output).toContain("topics.json is damaged");
  });

  it("a port that is taken ends the start with a reason", async () => {
    await using first = await startBrokerProcess(join(home, "one"), { brokerName: "broker-a" });
    const file = propertyFile(
      `storePathRootDir=${home}/two\nlistenPort=${first.port}\nbindAddress=127.0.0.1\nmappedFileSizeCommitLog=1048576\n`,
    );
    const { code, output } = await mqbroker(["-c", file]);
    expect(code).toBe(1);
    expect(output).toContain("EADDRINUSE");
  });
});
