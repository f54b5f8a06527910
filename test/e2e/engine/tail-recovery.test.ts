/**
 * H-09, X-08: a SYNC_MASTER whose disk lost the end of its log. A copy of its store, taken while it ran, is put in the place of the store: that is what
 * a power cut leaves of an asynchronously flushed log.
 */
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { RunningBroker } from "../../../engine/broker/broker.ts";
import { recordsOf, type BrokerPeer } from "../../helpers/broker-peer.ts";
import { EngineFixture, until } from "./engine-fixture.ts";

const MASTER = { brokerRole: "SYNC_MASTER", masterRecoverWait: 3_000 } as const;
const SLAVE = { brokerRole: "SLAVE", brokerId: 1 } as const;
const TOPIC = "Tail";

const storeOf = (engine: EngineFixture): string => `${engine.home}/broker-a-0`;
const endOf = (broker: RunningBroker): number => broker.context.store.log.writtenOffset;

async function follows(master: RunningBroker): Promise<void> {
  await until("the slave follows", () =>
    (master.haService?.slaves() ?? []).some((state) => state.ackedOffset >= 0),
  );
}

async function sendAll(peer: BrokerPeer, texts: readonly string[]): Promise<void> {
  for (const text of texts) expect((await peer.send(TOPIC, text)).code).toBe(0);
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `m${from + index}`);

/** A pair with ten messages on the disk of both, and ten more that the master's disk is about to lose. */
async function pairThatLosesTen(engine: EngineFixture) {
  await engine.startNamesrv();
  const master = await engine.startBroker(MASTER);
  const slave = await engine.startBroker(SLAVE);
  await follows(master);
  const peer = await engine.peer(master);
  await sendAll(peer, numbered(0, 10));
  await until("flushed", () => master.context.store.log.flushedOffset === endOf(master));
  const copy = `${engine.home}/copy`;
  cpSync(storeOf(engine), copy, { recursive: true });
  rmSync(`${copy}/lock`);
  const keptEnd = endOf(master);
  await sendAll(peer, numbered(10, 20));
  const lostEnd = endOf(master);
  await master.stop();
  rmSync(storeOf(engine), { recursive: true });
  cpSync(copy, storeOf(engine), { recursive: true });
  return { slave, port: master.port, keptEnd, lostEnd };
}

function said(engine: EngineFixture, text: string): number {
  return engine.lines.filter((line) => line.includes(text)).length;
}

describe("H-09: a SYNC_MASTER that lost its log's end", () => {
  it("takes it back from its slave before it serves, and both go on with equal logs", async () => {
    await using engine = new EngineFixture();
    const { slave, port, lostEnd } = await pairThatLosesTen(engine);
    const master = await engine.startBroker({ ...MASTER, listenPort: port });
    expect(said(engine, "took back from a slave")).toBe(1);
    expect(endOf(master)).toBe(lostEnd);
    const peer = await engine.peer(master);
    const pulled = recordsOf((await peer.pull(TOPIC)).body);
    expect(pulled.map((message) => message.text)).toEqual(numbered(0, 20));
    await follows(master);
    const answer = await peer.send(TOPIC, "m20");
    expect(answer).toMatchObject({ code: 0, ext: { queueOffset: "20" } });
    await until("equal ends", () => endOf(slave) === endOf(master));
    const file = "commitlog/00000000000000000000";
    const theirs = readFileSync(`${engine.home}/broker-a-1/${file}`);
    expect(readFileSync(`${storeOf(engine)}/${file}`).equals(theirs)).toBe(true);
  });

  it("says loudly what it could not check when no slave answers, and serves", async () => {
    await using engine = new EngineFixture();
    const { slave, keptEnd } = await pairThatLosesTen(engine);
    await slave.stop();
    const master = await engine.startBroker({ ...MASTER, masterRecoverWait: 200 });
    expect(said(engine, "was not checked")).toBe(1);
    expect(endOf(master)).toBe(keptEnd);
  });

  it("masterRecoverPolicy=strict refuses to start alone, and starts once its slave is there", async () => {
    await using engine = new EngineFixture();
    const { slave, lostEnd } = await pairThatLosesTen(engine);
    await slave.stop();
    const strict = { ...MASTER, masterRecoverPolicy: "strict" };
    const alone = engine.startBroker({ ...strict, masterRecoverWait: 200 });
    await expect(alone).rejects.toMatchObject({ code: "BROKER_TAIL_UNCHECKED" });
    expect(existsSync(`${storeOf(engine)}/abort`)).toBe(true);
    await engine.startBroker(SLAVE);
    expect(endOf(await engine.startBroker(strict))).toBe(lostEnd);
  });

  it("takes nothing from a slave whose log is another one, and says DIVERGED", async () => {
    await using engine = new EngineFixture();
    const { slave } = await pairThatLosesTen(engine);
    await slave.stop();
    const other = await engine.startBroker({ ...MASTER, masterRecoverWait: 0 });
    await (await engine.peer(other)).send(TOPIC, "written where m10 had been");
    const ownEnd = endOf(other);
    await other.stop();
    cpSync(`${engine.home}/copy/abort`, `${storeOf(engine)}/abort`);
    await engine.startBroker(SLAVE);
    const master = await engine.startBroker({ ...MASTER, masterRecoverWait: 500 });
    expect(said(engine, "DIVERGED")).toBe(1);
    expect(endOf(master)).toBe(ownEnd);
  });

  it("H-04: gives the log to nobody whom the replication port refuses, and refuses impossible places", async () => {
    await using engine = new EngineFixture();
    await engine.startNamesrv();
    const open = await engine.peer(await engine.startBroker());
    await open.send(TOPIC, "m0");
    const read = (offset: number, bytesMax: number) => ({
      code: 30_002,
      ext: { offset, bytesMax },
    });
    expect((await open.ask(read(0, 100))).body).toHaveLength(100);
    expect((await open.ask(read(1_000_000, 100))).body).toHaveLength(0);
    expect((await open.ask(read(-1, 100))).code).toBe(1);
    expect((await open.ask(read(0, -1))).code).toBe(1);
    const closed = { brokerName: "broker-b", haAllowedAddresses: "198.51.100.1" };
    const other = await engine.peer(await engine.startBroker(closed));
    expect((await other.ask(read(0, 100))).code).toBe(16);
    const position = { code: 30_001, ext: { compareFrom: 0, compareTo: 0 } };
    expect((await other.ask(position)).code).toBe(16);
  });
});
