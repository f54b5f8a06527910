/** The master side against slaves played by hand, byte for byte (store-and-ha 7, 9.5; faults-and-security 4). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseAllowedAddresses } from "../../../../engine/ha/allowed-addresses.ts";
import { MemoryReplicaLog } from "../../../helpers/memory-replica-log.ts";
import { HaFixture, headerHex, offsetHex, payload, type RawPeer } from "./ha-fixture.ts";

const FAST = { heartbeatMs: 40, housekeepingMs: 400 };

let ha: HaFixture;
beforeEach(() => {
  ha = new HaFixture();
});
afterEach(() => ha[Symbol.asyncDispose]());

function filled(bytes: number, fileSize?: number): MemoryReplicaLog {
  const log = new MemoryReplicaLog(fileSize);
  log.append(payload(bytes - 12, 1));
  return log;
}

/** More than the socket buffers of both ends and the window take: 30 MB. */
function backlog(): MemoryReplicaLog {
  const log = new MemoryReplicaLog();
  const body = payload(100_000, 1);
  for (let i = 0; i < 300; i += 1) log.append(body);
  return log;
}

async function closes(peer: RawPeer): Promise<void> {
  await expect.poll(() => peer.isClosed).toBe(true);
}

describe("stream", () => {
  it("9.5: a fresh slave's exchange, byte for byte", async () => {
    const log = filled(414);
    const { port } = await ha.service(log, { heartbeatMs: 150 });
    const slave = await ha.slave(port);
    slave.sendHex("0000000000000000");
    const data = `0000000000000000000000000000000000000000${"0000019e"}${log.bytes.toString("hex")}`;
    await expect.poll(() => slave.received.length).toBe(12 + 12 + 414);
    expect(slave.hex).toBe(data);
    slave.sendHex("000000000000019e");
    await expect.poll(() => slave.received.length).toBe(12 + 12 + 414 + 12);
    expect(slave.hex).toBe(`${data}000000000000019e00000000`);
  });

  it("7.4: 0 starts at the first byte of the last file", async () => {
    const log = new MemoryReplicaLog(256);
    for (let i = 0; i < 9; i += 1) log.append(payload(60, i));
    expect(log.writtenOffset).toBeGreaterThan(512);
    const { port } = await ha.service(log);
    const slave = await ha.slave(port);
    slave.report(0);
    await expect.poll(() => slave.bodies().length).toBeGreaterThan(0);
    const start = log.writtenOffset - (log.writtenOffset % 256);
    expect(slave.frames()[0]?.offset).toBe(start);
    expect(slave.bodies().equals(log.bytes.subarray(start))).toBe(true);
  });

  it("7.4: any other offset starts exactly there", async () => {
    const log = filled(414);
    const { port } = await ha.service(log);
    const slave = await ha.slave(port);
    slave.report(100);
    await expect.poll(() => slave.bodies().length).toBe(314);
    expect(slave.bodies().equals(log.bytes.subarray(100))).toBe(true);
  });

  it("7.4: below the master's minimum nothing comes but heartbeats, and it does not count as a slave", async () => {
    const log = filled(414);
    log.minOffset = 200;
    const { port, service } = await ha.service(log, FAST);
    const slave = await ha.slave(port);
    slave.report(100);
    await expect.poll(() => slave.frames().length).toBeGreaterThan(2);
    expect(slave.bodies()).toHaveLength(0);
    expect(service.slaves()[0]).toMatchObject({ isBehindMinimum: true, sentOffset: 100 });
    expect(service.gate.isSlaveAvailable(414)).toBe(false);
  });

  it("a record leaves in the tick of its write", async () => {
    const log = filled(100);
    const { port, service } = await ha.service(log);
    const slave = await ha.slave(port);
    slave.report(100);
    await expect.poll(() => slave.frames().length).toBe(1);
    const end = log.append(payload(50, 2));
    expect(service.slaves()[0]?.sentOffset).toBe(end);
    await expect.poll(() => slave.bodies().equals(log.bytes.subarray(100))).toBe(true);
  });

  it("frames carry 32 KiB at most and never cross the end of a file", async () => {
    const log = new MemoryReplicaLog(100_000);
    for (let i = 0; i < 8; i += 1) log.append(payload(40_000, i));
    const { port } = await ha.service(log);
    const slave = await ha.slave(port);
    slave.report(1);
    await expect.poll(() => slave.bodies().length).toBe(log.writtenOffset - 1);
    expect(slave.bodies().equals(log.bytes.subarray(1))).toBe(true);
    for (const { offset, body } of slave.frames()) {
      expect(body.length).toBeLessThanOrEqual(32_768);
      expect((offset % 100_000) + body.length).toBeLessThanOrEqual(100_000);
    }
  });

  it("a slave that does not read holds at most its window; every lent read comes back", async () => {
    const log = backlog();
    const { port, service } = await ha.service(log);
    const slave = await ha.slave(port);
    slave.socket.pause();
    slave.report(1);
    await expect.poll(() => service.slaves()[0]?.sentOffset ?? 0).toBeGreaterThan(1_000_000);
    const sent = service.slaves()[0]?.sentOffset ?? 0;
    expect(sent).toBeLessThan(20_000_000);
    expect(log.lentReads).toBeGreaterThan(0);
    slave.socket.resume();
    await expect.poll(() => service.slaves()[0]?.sentOffset).toBe(log.writtenOffset);
    await expect.poll(() => log.lentReads).toBe(0);
  });

  it("a slave that goes away in the middle gives every lent read back", async () => {
    const log = backlog();
    const { port, service } = await ha.service(log);
    const slave = await ha.slave(port);
    slave.socket.pause();
    slave.report(1);
    await expect.poll(() => log.lentReads).toBeGreaterThan(0);
    slave.socket.destroy();
    await expect.poll(() => service.slaves()).toEqual([]);
    await expect.poll(() => log.lentReads).toBe(0);
  });

  it("the last complete group of 8 bytes counts, also when reports come in pieces", async () => {
    const log = filled(414);
    const { port, service } = await ha.service(log);
    const slave = await ha.slave(port);
    slave.report(0);
    await expect.poll(() => slave.bodies().length).toBe(414);
    slave.sendHex(`${offsetHex(100)}${offsetHex(200)}${offsetHex(300).slice(0, 10)}`);
    await expect.poll(() => service.slaves()[0]?.ackedOffset).toBe(200);
    for (const byte of offsetHex(300).slice(10).match(/../g) ?? []) slave.sendHex(byte);
    await expect.poll(() => service.slaves()[0]?.ackedOffset).toBe(300);
  });

  it("heartbeats carry the next offset every interval while nothing is sent", async () => {
    const { port } = await ha.service(filled(414), { heartbeatMs: 20 });
    const slave = await ha.slave(port);
    slave.report(414);
    await expect.poll(() => slave.frames().length).toBeGreaterThanOrEqual(3);
    expect(slave.hex.slice(0, 72)).toBe(headerHex(414, 0).repeat(3));
  });

  it("a silent connection gets nothing, and is closed after haHousekeepingInterval", async () => {
    const { port } = await ha.service(filled(414), FAST);
    const slave = await ha.slave(port);
    await closes(slave);
    expect(slave.received).toHaveLength(0);
  });

  it("a slave that stops reporting is closed, one that repeats its report is not", async () => {
    const { port, service } = await ha.service(filled(414), FAST);
    const silent = await ha.slave(port);
    const alive = await ha.slave(port);
    silent.report(414);
    const beat = setInterval(() => alive.report(414), 50);
    await closes(silent);
    clearInterval(beat);
    expect(alive.isClosed).toBe(false);
    expect(service.slaves()).toHaveLength(1);
  });
});

describe("H-01: the replicated offset is that of live connections", () => {
  it("is the fastest live slave's, and falls back when that one goes", async () => {
    const log = filled(414);
    let changes = 0;
    const { port, service } = await ha.service(log, { onGateChanged: () => (changes += 1) });
    const [fast, slow] = [await ha.slave(port), await ha.slave(port)];
    slow.report(100);
    await expect.poll(() => service.gate.replicatedOffset).toBe(100);
    fast.report(414);
    await expect.poll(() => service.gate.replicatedOffset).toBe(414);
    expect(changes).toBe(2);
    fast.socket.destroy();
    await expect.poll(() => service.gate.replicatedOffset).toBe(100);
    slow.socket.destroy();
    await expect.poll(() => service.gate.replicatedOffset).toBe(0);
    expect(changes).toBe(4);
  });
});

describe("H-02: impossible reports", () => {
  it.each([
    ["the first one above the master's end", [415]],
    ["a later one above what was sent", [414, 500]],
    ["one lower than the last", [414, 413]],
    ["a lower one in the same chunk", [300, 200]],
  ])("%s closes the connection and releases nobody", async (_name, reports) => {
    let best = 0;
    const { port, service } = await ha.service(filled(414), {
      onGateChanged: () => (best = Math.max(best, service.gate.replicatedOffset)),
    });
    const slave = await ha.slave(port);
    slave.sendHex(reports.map(offsetHex).join(""));
    await closes(slave);
    expect(service.refusedReports).toBe(1);
    expect(best).toBeLessThanOrEqual(414);
    await expect.poll(() => service.gate.replicatedOffset).toBe(0);
    expect(ha.lines.join("")).toContain("H-02");
  });

  it.each(["ffffffffffffffff", "8000000000000000", "7fffffffffffffff"])(
    "0x%s closes the connection",
    async (hex) => {
      const { port, service } = await ha.service(filled(414));
      const slave = await ha.slave(port);
      slave.sendHex(hex);
      await closes(slave);
      expect(service.refusedReports).toBe(1);
    },
  );

  it("a slave that claims bytes nobody sent it earns no ack", async () => {
    const log = filled(414);
    log.minOffset = 100;
    const { port, service } = await ha.service(log);
    const slave = await ha.slave(port);
    slave.report(50);
    await expect.poll(() => service.slaves()[0]?.ackedOffset).toBe(50);
    slave.report(400);
    await closes(slave);
    expect(service.gate.replicatedOffset).toBe(0);
  });
});

describe("H-03, H-04: who may connect", () => {
  it("a report that is started and not completed closes the connection", async () => {
    let nowMs = 0;
    const { port } = await ha.service(filled(414), { heartbeatMs: 40, now: () => nowMs });
    const slave = await ha.slave(port);
    slave.sendHex("00000000");
    await expect
      .poll(() => {
        nowMs += 500;
        return slave.isClosed;
      })
      .toBe(true);
    expect(ha.lines.join("")).toContain("started and not completed");
  });

  it("the seventeenth connection is refused", async () => {
    const { port, service } = await ha.service(filled(414));
    for (let i = 0; i < 16; i += 1) await ha.slave(port);
    await expect.poll(() => service.slaves()).toHaveLength(16);
    await closes(await ha.slave(port));
    expect(service.slaves()).toHaveLength(16);
  });

  it("only allowed addresses get in", async () => {
    const allowed = parseAllowedAddresses("127.0.5.0/24, 127.0.0.9");
    const { port, service } = await ha.service(filled(414), { allowed });
    await closes(await ha.slave(port));
    await closes(await ha.slave(port, "127.0.0.8"));
    await ha.slave(port, "127.0.0.9");
    await ha.slave(port, "127.0.5.77");
    await expect.poll(() => service.slaves()).toHaveLength(2);
  });

  it("no list allows all; a bad list is an error naming the entry", () => {
    expect(parseAllowedAddresses("")("198.51.100.7")).toBe(true);
    expect(() => parseAllowedAddresses("10.0.0.1,host")).toThrow('"host"');
  });
});

describe("H-10: is a slave available", () => {
  it("needs a live slave that has reported, less than haSlaveFallbehindMax behind", async () => {
    const log = filled(1_000);
    const { port, service } = await ha.service(log, { fallbehindMax: 600 });
    const { gate } = service;
    expect(gate.required).toBe(true);
    expect(gate.isSlaveAvailable(1_000)).toBe(false);
    const slave = await ha.slave(port);
    await expect.poll(() => service.slaves()).toHaveLength(1);
    expect(gate.isSlaveAvailable(1_000)).toBe(false);
    slave.report(400);
    await expect.poll(() => gate.isSlaveAvailable(999)).toBe(true);
    expect(gate.isSlaveAvailable(1_000)).toBe(false);
    slave.socket.destroy();
    await expect.poll(() => gate.isSlaveAvailable(999)).toBe(false);
  });
});
