/** Open transactions over checks, restarts, power cuts and full disks (store-and-ha 6.2 … 6.5; A-07, C-01, R-25). Seeds are in the test names. */
import { describe, expect, it } from "vitest";
import { readRecord } from "../../../../../engine/message/record-decode.ts";
import { RESPONSE_CODE } from "../../../../../engine/remoting/response-codes.ts";
import { SimDisk } from "../../../../helpers/sim-disk.ts";
import { cut, Machine, newRoot, type AskedProducer, type HalfPlace } from "../machine.ts";

const HALF = "RMQ_SYS_TRANS_HALF_TOPIC";
const OPS = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
const GIVEN_UP = "TRANS_CHECK_MAX_TIME_TOPIC";
const SYNC = { properties: "flushDiskType=SYNC_FLUSH\n" };
const { SUCCESS } = RESPONSE_CODE;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function started(options: Parameters<typeof Machine.boot>[2] = SYNC) {
  const root = newRoot();
  const disk = new SimDisk();
  return { root, disk, machine: await Machine.boot(disk, root, options) };
}

/** Transactions that begin and end while the power goes; what their producers know. */
class Load {
  private readonly machine: Machine;
  private readonly seed: number;
  private readonly stored: string[] = [];
  private readonly ended = new Map<string, "commit" | "rollback">();
  private readonly answered: string[] = [];

  constructor(machine: Machine, seed: number) {
    this.machine = machine;
    this.seed = seed;
  }

  /** Begins transaction `m<i>`; most end as soon as they may. */
  one(i: number): void {
    void this.run(`m${i}`, (i * 7 + this.seed) % 4 !== 0, (i * this.seed) % 3 === 0);
  }

  /** What was stored, what was told to end, and which end was answered, until now. */
  seen() {
    return {
      stored: [...this.stored],
      ended: new Map(this.ended),
      answered: [...this.answered],
    };
  }

  private async run(body: string, ends: boolean, rollsBack: boolean): Promise<void> {
    const place = await this.machine.half(body);
    if (place.status !== 0) return;
    this.stored.push(body);
    if (!ends) return;
    const how = rollsBack ? "rollback" : "commit";
    this.ended.set(body, how);
    if ((await this.machine.end(place, how)) === SUCCESS) this.answered.push(body);
  }
}

/** Property and place of what a producer was asked. */
function recordIn(producer: AskedProducer, index: number) {
  const { body, extFields } = producer.requests[index] ?? {};
  const bytes = body ?? Buffer.alloc(0);
  const record = readRecord(bytes, 0, bytes.length);
  if (typeof record === "string") throw new Error(`the check carries no record: ${record}`);
  return {
    topic: bytes.toString("utf8", record.topicStart, record.topicEnd),
    queueId: record.queueId,
    body: bytes.toString("utf8", record.bodyStart, record.bodyEnd),
    properties: bytes.toString("utf8", record.propertiesStart, record.propertiesEnd),
    physicalOffset: record.physicalOffset,
    extFields: Object.fromEntries(extFields ?? []),
  };
}

describe("an open transaction", () => {
  it("ends by its commit or its rollback, and stays open on 0", async () => {
    const { machine } = await started();
    const places = [await machine.half("a"), await machine.half("b"), await machine.half("c")];
    expect(places.map((place) => place.queueOffset)).toEqual([0, 1, 2]);
    expect(machine.bodies("Trans")).toEqual([]);
    const [a, b, c] = places as [HalfPlace, HalfPlace, HalfPlace];
    expect(await machine.end(a, "commit")).toBe(SUCCESS);
    expect(await machine.end(b, "rollback")).toBe(SUCCESS);
    expect(await machine.end(c, "unknown")).toBeNull();
    expect(machine.bodies("Trans")).toEqual(["a"]);
    expect(machine.bodies(OPS)).toEqual(["0", "1"]);
    expect(machine.open.table.progress).toBe(2);
    await machine.stop();
  });

  it("is asked about with a copy at the end of the queue: real topic, next count, the copy's place", async () => {
    const { machine } = await started();
    const producer = machine.producer();
    await machine.half("a");
    await machine.check(500);
    expect(producer.requests).toEqual([]);
    await machine.check(600);
    const asked = recordIn(producer, 0);
    expect(asked).toMatchObject({ topic: "Trans", queueId: 0, body: "a" });
    expect(asked.properties).toContain("TRANSACTION_CHECK_TIMES\u00011\u0002");
    expect(asked.properties).toContain("TRAN_PREPARED_QUEUE_OFFSET\u00010\u0002");
    expect(asked.extFields).toMatchObject({
      tranStateTableOffset: "1",
      commitLogOffset: String(asked.physicalOffset),
      msgId: "U-a",
      transactionId: "U-a",
    });
    expect(await machine.end(producer.asked[0] as HalfPlace, "commit")).toBe(SUCCESS);
    expect(machine.bodies("Trans")).toEqual(["a"]);
    expect(machine.open.table.progress).toBe(2);
    await machine.stop();
  });

  it("R-25: is delivered once whichever of its places are committed, and in whatever order", async () => {
    const { machine } = await started();
    const producer = machine.producer();
    const first = await machine.half("a");
    await machine.check();
    await machine.check();
    const places = [first, ...producer.asked];
    expect(places.map((place) => place.queueOffset)).toEqual([0, 1, 2]);
    const codes = await Promise.all(places.map((place) => machine.end(place, "commit")));
    expect(codes).toEqual([SUCCESS, SUCCESS, SUCCESS]);
    expect(await machine.end(first, "rollback")).toBe(SUCCESS);
    expect(machine.bodies("Trans")).toEqual(["a"]);
    await machine.check();
    expect(producer.requests).toHaveLength(2);
    await machine.stop();
  });

  it("that ends while a check moves it is delivered once and never asked about again", async () => {
    const { machine } = await started();
    const producer = machine.producer();
    const first = await machine.half("a");
    machine.now += 2_000;
    const pass = machine.checks.pass();
    const ended = machine.end(first, "commit");
    expect(machine.open.isBusy(0)).toBe(true);
    await pass;
    expect(await ended).toBe(SUCCESS);
    await machine.check();
    await machine.check();
    expect(machine.bodies("Trans")).toEqual(["a"]);
    expect(machine.open.table.progress).toBe(machine.bodies(HALF).length);
    expect(producer.requests.length).toBeLessThanOrEqual(1);
    await machine.stop();
  });

  it("whose end is being written is left alone by a check", async () => {
    const { machine } = await started();
    const producer = machine.producer();
    const first = await machine.half("a");
    machine.now += 2_000;
    const ended = machine.end(first, "commit");
    await machine.checks.pass();
    expect(await ended).toBe(SUCCESS);
    expect([machine.bodies("Trans"), machine.bodies(HALF)]).toEqual([["a"], ["a"]]);
    expect(producer.requests).toEqual([]);
    await machine.stop();
  });

  it("is given up after transactionCheckMax checks, also when nobody was there to ask; it does not come back", async () => {
    const { machine, disk, root } = await started();
    const first = await machine.half("a");
    for (let i = 0; i < 3; i += 1) await machine.check();
    expect(machine.bodies(GIVEN_UP)).toEqual([]);
    await machine.check();
    expect(machine.bodies(GIVEN_UP)).toEqual(["a"]);
    expect(await machine.end(first, "commit")).toBe(SUCCESS);
    expect(machine.bodies("Trans")).toEqual([]);
    await machine.stop();
    const again = await Machine.boot(cut(disk, root, "none"), root, SYNC);
    await again.check();
    expect(again.bodies(GIVEN_UP)).toEqual(["a"]);
    await again.stop();
  });

  it("goes to the group's live producers in turn, and to no other group's", async () => {
    const { machine } = await started();
    const producers = [machine.producer(), machine.producer(), machine.producer()];
    const foreign = machine.producer("PG_other");
    const [, dead] = producers;
    if (dead !== undefined) dead.isOpen = false;
    for (let i = 0; i < 6; i += 1) await machine.half(`m${i}`);
    await machine.check();
    expect(producers.map((producer) => producer.requests.length)).toEqual([3, 0, 3]);
    expect(foreign.requests).toEqual([]);
    await machine.stop();
  });

  it("with an immunity of its own is passed by, and asked about when it is over", async () => {
    const { machine } = await started();
    const producer = machine.producer();
    await machine.half("immune", { CHECK_IMMUNITY_TIME_IN_SECONDS: "10" });
    await machine.half("plain");
    await machine.check();
    expect(recordIn(producer, 0).body).toBe("plain");
    expect(producer.requests).toHaveLength(1);
    expect(await machine.end(producer.asked[0] as HalfPlace, "rollback")).toBe(SUCCESS);
    await machine.check(9_000);
    expect(recordIn(producer, 1).body).toBe("immune");
    expect(recordIn(producer, 1).properties).toContain("TRANSACTION_CHECK_TIMES\u00011\u0002");
    expect(await machine.end(producer.asked[1] as HalfPlace, "commit")).toBe(SUCCESS);
    expect(machine.bodies("Trans")).toEqual(["immune"]);
    await machine.stop();
  });
});

describe("a restart", () => {
  it("finds what is open again: after a stop and after a kill, with copies and with ends out of order", async () => {
    for (const isKilled of [true, false]) {
      const { machine, disk, root } = await started();
      const producer = machine.producer();
      const places: HalfPlace[] = [];
      for (let i = 0; i < 6; i += 1) places.push(await machine.half(`m${i}`));
      const at = (index: number): HalfPlace => places[index] as HalfPlace;
      await machine.end(at(1), "commit");
      await machine.end(at(4), "rollback");
      await machine.check();
      // Four were open and moved; the copy of m3 is committed by its first place.
      await machine.end(at(3), "commit");
      if (!isKilled) await machine.stop();
      const after = isKilled ? cut(disk, root, "all") : disk;
      const again = await Machine.boot(after, root, SYNC);
      again.now = machine.now;
      const later = again.producer();
      await again.check();
      const bodies = later.requests.map((_, index) => recordIn(later, index).body);
      expect(bodies.toSorted()).toEqual(["m0", "m2", "m5"]);
      for (const place of later.asked) await again.end(place, "commit");
      await again.end(at(0), "commit");
      expect(again.bodies("Trans").toSorted()).toEqual(["m0", "m1", "m2", "m3", "m5"]);
      expect(again.open.table.progress).toBe(again.bodies(HALF).length);
      expect(producer.requests).toHaveLength(4);
      await again.stop();
    }
  });

  it.each([1, 2, 3, 5, 8, 13, 21, 34, 55, 89])(
    "power cut with SYNC_FLUSH, seed %i: an answered end holds, nothing answered is forgotten or delivered twice",
    async (seed) => {
      const { machine, disk, root } = await started();
      const load = new Load(machine, seed);
      for (let i = 0; i < 30; i += 1) {
        load.one(i);
        if (i % (1 + (seed % 4)) === 0) await turn();
      }
      for (let i = 0; i < seed % 7; i += 1) await turn();
      machine.open.publish();
      machine.persist();
      const { stored, ended, answered } = load.seen();
      const after = cut(disk, root, { seed });

      const again = await Machine.boot(after, root, SYNC);
      again.now = machine.now;
      const delivered = again.bodies("Trans");
      const copies = (body: string): number => delivered.filter((other) => other === body).length;
      const wanted = (body: string): number => (ended.get(body) === "commit" ? 1 : 0);
      expect(answered.filter((body) => copies(body) !== wanted(body))).toEqual([]);
      const producer = again.producer();
      await again.check();
      const askedAbout = new Set(
        producer.requests.map((_, index) => recordIn(producer, index).body),
      );
      expect(answered.filter((body) => askedAbout.has(body))).toEqual([]);
      expect(stored.filter((body) => !ended.has(body) && !askedAbout.has(body))).toEqual([]);
      for (const place of producer.asked) expect(await again.end(place, "rollback")).toBe(SUCCESS);
      expect(again.open.table.progress).toBe(again.bodies(HALF).length);
      await again.stop();
    },
  );
});

describe("progress", () => {
  it("C-01: is written down only when the log behind it is flushed", async () => {
    const { machine, disk, root } = await started({
      properties: "flushIntervalCommitLog=10000\nvisibility=appended\n",
    });
    const place = await machine.half("a");
    expect(await machine.end(place, "commit")).toBe(SUCCESS);
    expect(machine.store.log.flushedOffset).toBeLessThan(machine.store.log.writtenOffset);
    for (let i = 0; i < 5; i += 1) machine.open.publish();
    expect(machine.progress).toEqual([-1, -1]);
    machine.persist();
    const again = await Machine.boot(cut(disk, root, "none"), root);
    expect([again.bodies(HALF), again.open.table.progress]).toEqual([[], 0]);
    await again.stop();
    await machine.stop();
  });

  it("C-01: waits for every connected slave that can follow", async () => {
    const slaves = [
      { ackedOffset: -1, isBehindMinimum: false },
      { ackedOffset: -1, isBehindMinimum: true },
    ];
    const { machine } = await started({ ...SYNC, slaves });
    expect(await machine.end(await machine.half("a"), "commit")).toBe(SUCCESS);
    for (let i = 0; i < 3; i += 1) machine.open.publish();
    expect(machine.progress).toEqual([-1, -1]);
    slaves[0] = { ackedOffset: machine.store.log.writtenOffset, isBehindMinimum: false };
    machine.open.publish();
    expect(machine.progress).toEqual([1, 1]);
    await machine.stop();
  });

  it("C-01: past the end of its queue is brought back, and new half messages are not taken for done", async () => {
    const { machine, disk, root } = await started();
    machine.context.offsets.commit("CID_RMQ_SYS_TRANS", HALF, 0, 50);
    machine.context.offsets.commit("CID_RMQ_SYS_TRANS", OPS, 0, 50);
    await machine.stop();
    const again = await Machine.boot(disk, root, SYNC);
    const producer = again.producer();
    await again.half("a");
    await again.check();
    expect(producer.requests).toHaveLength(1);
    await again.stop();
  });

  it("does not pass an open transaction, and keeps the op messages that are still needed", async () => {
    const { machine } = await started();
    const places = [await machine.half("a"), await machine.half("b"), await machine.half("c")];
    await machine.end(places[2] as HalfPlace, "commit");
    await machine.end(places[1] as HalfPlace, "commit");
    machine.open.publish();
    machine.open.publish();
    expect(machine.progress).toEqual([-1, -1]);
    await machine.end(places[0] as HalfPlace, "rollback");
    machine.open.publish();
    machine.open.publish();
    expect(machine.progress).toEqual([3, 3]);
    await machine.stop();
  });
});

describe("a full disk", () => {
  it("A-07: a commit that could not be written leaves the transaction open; it is committed once there is room", async () => {
    const properties = "flushDiskType=SYNC_FLUSH\nmappedFileSizeCommitLog=67108864\n";
    const { machine, disk } = await started({ properties });
    const body = "b".repeat(1_000_000);
    const place = await machine.half(body);
    disk.capacity = 0;
    expect(await machine.end(place, "commit")).toBe(RESPONSE_CODE.SERVICE_NOT_AVAILABLE);
    expect(machine.bodies("Trans")).toEqual([]);
    disk.capacity = Number.MAX_SAFE_INTEGER;
    await expect.poll(() => machine.store.isWriteable, { timeout: 2_000 }).toBe(true);
    const producer = machine.producer();
    await machine.check();
    expect(producer.requests).toHaveLength(1);
    expect(await machine.end(place, "commit")).toBe(SUCCESS);
    expect(machine.bodies("Trans")).toEqual([body]);
    await machine.stop();
  });
});
