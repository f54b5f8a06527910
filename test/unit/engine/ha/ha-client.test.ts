/** The slave side against masters played by hand, and against our own service (store-and-ha 7.2 to 7.6; H-05, H-06). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineError } from "../../../../engine/base/engine-error.ts";
import { MemoryReplicaLog } from "../../../helpers/memory-replica-log.ts";
import { HaFixture, headerHex, offsetHex, payload, type RawPeer } from "./ha-fixture.ts";

let ha: HaFixture;
beforeEach(() => {
  ha = new HaFixture();
});
afterEach(() => ha[Symbol.asyncDispose]());

/** A master's log and the frame that carries all of it. */
function masterLog(records: number, size = 50): MemoryReplicaLog {
  const log = new MemoryReplicaLog();
  for (let i = 0; i < records; i += 1) log.append(payload(size, i));
  return log;
}

function frameHex(log: MemoryReplicaLog, from: number, to: number): string {
  return headerHex(from, to - from) + log.bytes.subarray(from, to).toString("hex");
}

/** The n-th connection of the slave, once it has reported. */
async function connection(peers: readonly RawPeer[], n: number): Promise<RawPeer> {
  await expect.poll(() => peers[n]?.received.length ?? 0).toBeGreaterThanOrEqual(8);
  const peer = peers[n];
  if (peer === undefined) throw new Error(`connection ${n} is missing`);
  return peer;
}

describe("following", () => {
  it("7.2: reports its own end at once, appends what comes and acknowledges it", async () => {
    const log = masterLog(3);
    const own = new MemoryReplicaLog();
    const { address, peers } = await ha.master();
    const client = ha.client(own);
    expect(client.state).toBe("idle");
    client.setMaster(address);
    expect(client.state).toBe("connecting");
    const peer = await connection(peers, 0);
    expect(peer.hex).toBe(offsetHex(0));
    peer.sendHex(headerHex(0, 0) + frameHex(log, 0, log.writtenOffset));
    await expect.poll(() => peer.hex).toBe(offsetHex(0) + offsetHex(log.writtenOffset));
    expect(own.bytes.equals(log.bytes)).toBe(true);
    expect(client.state).toBe("following");
    const end = log.writtenOffset;
    expect(client.offsets).toMatchObject({ verified: end, reported: end, masterSent: end });
    expect(client.offsets.silentMs).not.toBeNull();
  });

  it("takes frames torn into single bytes, and acknowledges record ends only (H-06)", async () => {
    const log = masterLog(4, 20);
    const own = new MemoryReplicaLog();
    const { address, peers } = await ha.master();
    ha.client(own).setMaster(address);
    const peer = await connection(peers, 0);
    const stream = frameHex(log, 0, 40) + headerHex(40, 0) + frameHex(log, 40, log.writtenOffset);
    for (const byte of stream.match(/../g) ?? []) {
      peer.sendHex(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => peer.hex.slice(-16)).toBe(offsetHex(log.writtenOffset));
    const reports = (peer.hex.match(/.{16}/g) ?? []).map((hex) => Number(`0x${hex}`));
    for (const report of reports) expect(report % 32).toBe(0);
    expect(reports).toEqual(reports.toSorted((a, b) => a - b));
    expect(own.bytes.equals(log.bytes)).toBe(true);
  });

  it("repeats its last report as a heartbeat", async () => {
    const { address, peers } = await ha.master();
    const own = masterLog(2);
    ha.client(own, { heartbeatMs: 20 }).setMaster(address);
    const peer = await connection(peers, 0);
    await expect.poll(() => peer.received.length).toBeGreaterThanOrEqual(24);
    expect(peer.hex.slice(0, 48)).toBe(offsetHex(own.writtenOffset).repeat(3));
  });

  it("an empty log starts at the beginning of whatever file the master is in", async () => {
    const own = new MemoryReplicaLog(1_048_576);
    const { address, peers } = await ha.master();
    ha.client(own).setMaster(address);
    const peer = await connection(peers, 0);
    const log = masterLog(1);
    const start = 3 * 1_048_576;
    peer.sendHex(headerHex(start, log.writtenOffset) + log.bytes.toString("hex"));
    await expect.poll(() => own.writtenOffset).toBe(start + log.writtenOffset);
    expect(peer.hex.slice(-16)).toBe(offsetHex(start + log.writtenOffset));
  });

  it("connects again at once when the master comes back, and after a change of master", async () => {
    const first = await ha.master();
    const client = ha.client(new MemoryReplicaLog());
    client.setMaster(first.address);
    (await connection(first.peers, 0)).socket.destroy();
    await connection(first.peers, 1);
    const second = await ha.master();
    client.setMaster(second.address);
    client.setMaster(second.address);
    await connection(second.peers, 0);
    await expect.poll(() => first.peers[1]?.isClosed).toBe(true);
    expect(second.peers).toHaveLength(1);
    client.setMaster(null);
    expect(client.state).toBe("idle");
    await expect.poll(() => second.peers[0]?.isClosed).toBe(true);
  });

  it("leaves a master that is silent for haHousekeepingInterval and asks it again", async () => {
    const { address, peers } = await ha.master();
    const client = ha.client(new MemoryReplicaLog(), { heartbeatMs: 20, housekeepingMs: 100 });
    client.setMaster(address);
    await connection(peers, 0);
    await connection(peers, 1);
    expect(peers[0]?.isClosed).toBe(true);
  });

  it("an address no socket takes is retried, not thrown", () => {
    const client = ha.client(new MemoryReplicaLog());
    client.setMaster("127.0.0.1:99999");
    expect(client.state).toBe("connecting");
  });
});

describe("H-05: frames that do not continue the own log", () => {
  it.each([
    ["another offset than the own end", headerHex(7, 1)],
    ["a heartbeat at another offset", headerHex(7, 0)],
    ["a negative size", headerHex(124, 0).slice(0, 16) + "ffffffff"],
    ["a size above 1 MiB", headerHex(124, 1_048_577)],
    ["a negative offset", "ffffffffffffffff00000000"],
    ["a frame across the end of a file", headerHex(124, 1_048_576)],
  ])("%s: closes, and the third time in a row is DIVERGED", async (_name, hex) => {
    const own = masterLog(2);
    expect(own.writtenOffset).toBe(124);
    const { address, peers } = await ha.master();
    const client = ha.client(own);
    client.setMaster(address);
    for (let round = 0; round < 3; round += 1) {
      expect(client.state).not.toBe("diverged");
      const peer = await connection(peers, round);
      peer.sendHex(hex);
      await expect.poll(() => peer.isClosed).toBe(true);
    }
    expect(client.state).toBe("diverged");
    expect(own.writtenOffset).toBe(124);
    expect(ha.lines.join("")).toContain("DIVERGED");
    expect(peers).toHaveLength(3);
  });

  it("a bad record is cut off and never acknowledged; good ones before it stay", async () => {
    const log = masterLog(3);
    log.corrupt(62 * 2 + 20);
    const own = new MemoryReplicaLog();
    const { address, peers } = await ha.master();
    const client = ha.client(own);
    client.setMaster(address);
    const first = await connection(peers, 0);
    first.sendHex(frameHex(log, 0, log.writtenOffset));
    const second = await connection(peers, 1);
    expect(second.hex).toBe(offsetHex(124));
    expect(first.hex).not.toContain(offsetHex(186));
    second.sendHex(frameHex(log, 124, log.writtenOffset));
    const third = await connection(peers, 2);
    third.sendHex(frameHex(log, 124, log.writtenOffset));
    await expect.poll(() => client.state).toBe("diverged");
    expect(own.bytes.equals(log.bytes.subarray(0, 124))).toBe(true);
  });

  it("bad rounds with progress in between are not counted together; another master ends DIVERGED", async () => {
    const log = masterLog(4);
    const own = new MemoryReplicaLog();
    const { address, peers } = await ha.master();
    const client = ha.client(own);
    client.setMaster(address);
    for (let round = 0; round < 4; round += 1) {
      const peer = await connection(peers, round);
      peer.sendHex(frameHex(log, round * 62, round * 62 + 62) + headerHex(7, 0));
    }
    await connection(peers, 4);
    expect(client.state).not.toBe("diverged");
    for (let round = 4; round < 6; round += 1) {
      (await connection(peers, round)).sendHex(headerHex(7, 0));
    }
    await expect.poll(() => client.state).toBe("diverged");
    const other = await ha.master();
    client.setMaster(other.address);
    expect((await connection(other.peers, 0)).hex).toBe(offsetHex(248));
  });
});

describe("H-06: what a slave reports", () => {
  it("a half-received record is cut when the connection ends, and asked for again", async () => {
    const log = masterLog(3);
    const own = new MemoryReplicaLog();
    const { address, peers } = await ha.master();
    ha.client(own).setMaster(address);
    const first = await connection(peers, 0);
    first.sendHex(headerHex(0, 150) + log.bytes.subarray(0, 150).toString("hex"));
    await expect.poll(() => first.hex.slice(-16)).toBe(offsetHex(124));
    expect(own.writtenOffset).toBe(150);
    first.socket.destroy();
    const second = await connection(peers, 1);
    expect(second.hex).toBe(offsetHex(124));
    expect(own.writtenOffset).toBe(124);
    second.sendHex(frameHex(log, 124, log.writtenOffset));
    await expect.poll(() => own.bytes.equals(log.bytes)).toBe(true);
  });

  it("with ackFlushed only durable record ends are reported", async () => {
    const log = masterLog(4);
    const own = new MemoryReplicaLog();
    const { address, peers } = await ha.master();
    const client = ha.client(own, { ackFlushed: true });
    client.setMaster(address);
    const peer = await connection(peers, 0);
    peer.sendHex(headerHex(0, 130) + log.bytes.subarray(0, 130).toString("hex"));
    await expect.poll(() => own.writtenOffset).toBe(130);
    own.flush();
    await expect.poll(() => peer.hex).toBe(offsetHex(0) + offsetHex(124));
    peer.sendHex(headerHex(130, 118) + log.bytes.subarray(130, 248).toString("hex"));
    await expect.poll(() => client.offsets.verified).toBe(248);
    own.flush(200);
    expect(client.offsets.reported).toBe(124);
    own.flush(248);
    await expect.poll(() => peer.hex.slice(32)).toBe(offsetHex(248));
  });

  it("with ackFlushed the first report waits for the sync that covers the own end", async () => {
    const own = masterLog(2);
    const { address, peers } = await ha.master();
    const client = ha.client(own, { ackFlushed: true });
    client.setMaster(address);
    await expect.poll(() => peers).toHaveLength(1);
    expect(client.offsets.reported).toBe(-1);
    own.flush();
    expect((await connection(peers, 0)).hex).toBe(offsetHex(124));
  });

  it.each([
    ["a failed append", new EngineError("STORE_FAILED", { message: "no space left" })],
    ["any other error of the log", new Error("boom")],
  ])("%s: no report, FAILED, and no further attempt", async (_name, failure) => {
    const log = masterLog(1);
    const own = new MemoryReplicaLog();
    own.failure = failure;
    const states: string[] = [];
    const { address, peers } = await ha.master();
    const client = ha.client(own, { onStateChanged: (state) => states.push(state) });
    client.setMaster(address);
    const peer = await connection(peers, 0);
    peer.sendHex(frameHex(log, 0, 62));
    await expect.poll(() => peer.isClosed).toBe(true);
    expect(peer.hex).toBe(offsetHex(0));
    client.setMaster("127.0.0.1:1");
    expect(states).toEqual(["connecting", "following", "failed"]);
  });
});

describe("a log that takes bytes and does not write them", () => {
  it("H-06: earns no report", async () => {
    const own = new MemoryReplicaLog();
    own.refusesWrites = true;
    const { address, peers } = await ha.master();
    const client = ha.client(own);
    client.setMaster(address);
    const peer = await connection(peers, 0);
    peer.sendHex(frameHex(masterLog(1), 0, 62));
    await expect.poll(() => client.state).toBe("failed");
    await expect.poll(() => peer.isClosed).toBe(true);
    expect(peer.hex).toBe(offsetHex(0));
  });
});

describe("our master and our slave", () => {
  it("the logs are equal through file ends, a slave restart and a master restart in mid-stream", async () => {
    const log = new MemoryReplicaLog(10_000);
    const own = new MemoryReplicaLog(10_000);
    const { service, address, port } = await ha.service(log);
    const client = ha.client(own);
    client.setMaster(address);
    const append = (): void => {
      for (let i = 0; i < 50; i += 1) log.append(payload(100 + (i % 7), i));
    };
    append();
    await expect.poll(() => service.gate.replicatedOffset).toBe(log.writtenOffset);
    append();
    await client.stop();
    append();
    const again = ha.client(own);
    again.setMaster(address);
    await expect.poll(() => service.gate.replicatedOffset).toBe(log.writtenOffset);
    append();
    await service.stop();
    append();
    const restarted = await ha.service(log, { port });
    await expect
      .poll(() => restarted.service.gate.replicatedOffset, { timeout: 3_000 })
      .toBe(log.writtenOffset);
    expect(own.bytes.equals(log.bytes)).toBe(true);
    expect(log.writtenOffset).toBeGreaterThan(20_000);
    expect(again.offsets.verified).toBe(again.offsets.masterSent);
  });

  it("a slave that is ahead of its master is not credited, and does not lose its bytes", async () => {
    const own = masterLog(5);
    const log = masterLog(3);
    const { service, address } = await ha.service(log);
    ha.client(own).setMaster(address);
    await expect.poll(() => service.refusedReports).toBeGreaterThan(1);
    expect(service.gate.replicatedOffset).toBe(0);
    expect(own.writtenOffset).toBe(310);
  });
});
