/** Master and slave over real sockets: what the answers promise, what a slave serves (store-and-ha 7.9, 7.10). */
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { recordsOf } from "../../helpers/broker-peer.ts";
import { freeBrokerPort } from "../../helpers/engine-process.ts";
import { EngineFixture, until } from "./engine-fixture.ts";

const SLAVE = { brokerRole: "SLAVE", brokerId: 1 } as const;
const WAIT_MS = 15_000;

async function pair(engine: EngineFixture, master: object, slave: object = {}) {
  await engine.startNamesrv();
  const first = await engine.startBroker({ ...master });
  const second = await engine.startBroker({ ...SLAVE, ...slave });
  await until(
    "the slave follows",
    () => (first.haService?.slaves() ?? []).some((state) => state.ackedOffset >= 0),
    WAIT_MS,
  );
  return { master: first, slave: second };
}

describe("SYNC_MASTER", () => {
  it("11: without a slave the message is stored and answered SLAVE_NOT_AVAILABLE", async () => {
    await using engine = new EngineFixture();
    await engine.startNamesrv();
    const broker = await engine.startBroker({ brokerRole: "SYNC_MASTER" });
    const peer = await engine.peer(broker);
    const answer = await peer.send("Alone", "kept");
    expect(answer.code).toBe(11);
    expect(answer.ext["queueOffset"]).toBe("0");
    const [message] = recordsOf((await peer.pull("Alone")).body);
    expect(message?.text).toBe("kept");
    // nobody waits for a slave who did not ask for it.
    expect((await peer.send("Alone", "x", { i: "WAIT\u0001false\u0002" })).code).toBe(0);
  });

  it("DESIGN 5: says loudly what it could not check after an unclean stop", async () => {
    await using engine = new EngineFixture();
    await engine.startNamesrv();
    const properties = { brokerRole: "SYNC_MASTER", masterRecoverWait: 200 };
    const said = () => engine.lines.filter((line) => line.includes("was not checked")).length;
    const first = await engine.startBroker(properties);
    await first.stop();
    const second = await engine.startBroker(properties);
    expect(said()).toBe(0);
    await second.stop();
    writeFileSync(`${engine.home}/broker-a-0/abort`, "");
    await engine.startBroker(properties);
    expect(said()).toBe(1);
  });

  it("0: with a slave that has it; and what was answered 0 is on the slave", async () => {
    await using engine = new EngineFixture();
    const { master, slave } = await pair(engine, { brokerRole: "SYNC_MASTER" });
    const peer = await engine.peer(master);
    for (let n = 0; n < 20; n += 1) {
      const answer = await peer.send("Pair", `m${n}`);
      expect(answer.code).toBe(0);
      expect(slave.context.store.log.writtenOffset).toBe(master.context.store.log.writtenOffset);
    }
  });

  it("both SYNC_FLUSH: answered 0 means on both disks", async () => {
    await using engine = new EngineFixture();
    const flush = { flushDiskType: "SYNC_FLUSH" };
    const { master, slave } = await pair(engine, { brokerRole: "SYNC_MASTER", ...flush }, flush);
    const peer = await engine.peer(master);
    expect((await peer.send("Durable", "x")).code).toBe(0);
    const end = master.context.store.log.writtenOffset;
    expect(master.context.store.log.flushedOffset).toBe(end);
    expect(slave.context.store.log.flushedOffset).toBe(end);
  });

  it("12: a slave that stops confirming costs its timeout, and the message stays", async () => {
    await using engine = new EngineFixture();
    const master = { brokerRole: "SYNC_MASTER", slaveTimeout: 300 };
    const { master: broker, slave } = await pair(engine, master);
    const peer = await engine.peer(broker);
    expect((await peer.send("Silent", "heard")).code).toBe(0);
    await slave.stop();
    const answer = await peer.send("Silent", "unheard");
    expect([11, 12]).toContain(answer.code);
    expect(recordsOf((await peer.pull("Silent")).body)).toHaveLength(2);
  });
});

describe("a slave", () => {
  it("7.10: refuses sends with 14 and makes no topic for them", async () => {
    await using engine = new EngineFixture();
    const { slave } = await pair(engine, {});
    const peer = await engine.peer(slave);
    const answer = await peer.send("OnSlave", "x");
    expect(answer.code).toBe(14);
    expect(answer.remark).toMatch(/^service not available now/);
    expect(slave.context.topics.find("OnSlave")).toBeUndefined();
  });

  it("7.9, 7.10: takes the master's topics over, serves pulls, and wakes held ones as records arrive", async () => {
    await using engine = new EngineFixture();
    const { master, slave } = await pair(engine, {});
    const sender = await engine.peer(master);
    expect((await sender.send("Shared", "one")).code).toBe(0);
    await until(
      "the slave knows the topic",
      () => slave.context.topics.find("Shared") !== undefined,
      WAIT_MS,
    );
    const reader = await engine.peer(slave);
    await until("the slave has the message", async () => (await reader.pull("Shared")).code === 0);
    const waiting = reader.pull("Shared", { sysFlag: 2 + 4, queueOffset: 1 });
    expect((await sender.send("Shared", "two")).code).toBe(0);
    const answer = await waiting;
    expect(recordsOf(answer.body).map((message) => message.text)).toEqual(["two"]);
    expect(answer.ext["suggestWhichBrokerId"]).toBe("0");
  });

  it("R-17: moves nobody's offset: it may only be behind", async () => {
    await using engine = new EngineFixture();
    const { master, slave } = await pair(engine, {});
    const sender = await engine.peer(master);
    await sender.send("Behind", "one");
    const reader = await engine.peer(slave);
    await until("the slave has the message", async () => (await reader.pull("Behind")).code === 0);
    expect(await reader.pull("Behind", { queueOffset: 50 })).toMatchObject({
      code: 20,
      remark: "OFFSET_OVERFLOW_BADLY",
      ext: { nextBeginOffset: "50", suggestWhichBrokerId: "0" },
    });
  });

  it("4.2.5: does not store the offset a pull brings", async () => {
    await using engine = new EngineFixture();
    const { master, slave } = await pair(engine, {});
    await (await engine.peer(master)).send("Commit", "one");
    const reader = await engine.peer(slave);
    await until("the slave has the message", async () => (await reader.pull("Commit")).code === 0);
    await reader.pull("Commit", { sysFlag: 4 + 1, commitOffset: 1, consumerGroup: "CG_slave" });
    expect(slave.context.offsets.query("CG_slave", "Commit", 0)).toBe(-1);
  });
});

describe("registration", () => {
  it("a broker starts without any name server, and registers when one comes up", async () => {
    await using engine = new EngineFixture();
    const port = await freeBrokerPort();
    const broker = await engine.startBroker({ namesrvAddr: `127.0.0.1:${port}` });
    const peer = await engine.peer(broker);
    expect((await peer.send("Early", "x")).code).toBe(0);
    const namesrvAddr = await engine.startNamesrv(port);
    const namesrv = await engine.peer(namesrvAddr);
    const isRouted = async () =>
      (await namesrv.ask({ code: 105, ext: { topic: "Early" } })).code === 0;
    await until("the name server knows the topic", isRouted, WAIT_MS);
  });

  it("registers with every name server, and leaves all of them when it stops", async () => {
    await using engine = new EngineFixture();
    const first = await engine.peer(await engine.startNamesrv());
    const second = await engine.peer(await engine.startNamesrv());
    const broker = await engine.startBroker();
    for (const namesrv of [first, second]) {
      const info = (await namesrv.ask({ code: 106 })).body.toString();
      expect(info).toContain(`{0:"${broker.brokerAddr}"}`);
    }
    await broker.stop();
    for (const namesrv of [first, second]) {
      expect((await namesrv.ask({ code: 106 })).body.toString()).not.toContain("broker-a");
    }
  });

  it("a broker that cannot open its port leaves the other one registered", async () => {
    await using engine = new EngineFixture();
    const namesrv = await engine.peer(await engine.startNamesrv());
    const broker = await engine.startBroker();
    const twin = { listenPort: broker.port, storePathRootDir: `${engine.home}/twin` };
    await expect(engine.startBroker(twin)).rejects.toThrow(/EADDRINUSE/);
    const info = (await namesrv.ask({ code: 106 })).body.toString();
    expect(info).toContain(broker.brokerAddr);
  });

  it("S-08: a second broker on one store does not start", async () => {
    await using engine = new EngineFixture();
    await engine.startNamesrv();
    await engine.startBroker();
    await expect(engine.startBroker()).rejects.toMatchObject({ code: "STORE_LOCKED" });
  });
});
