/** Holding, waking and answering pulls around a store whose answers the test decides, on the test's own clock. */
import { describe, expect, it, vi } from "vitest";
import { PullPath } from "../../../../engine/broker/pull-path.ts";
import { internTopic } from "../../../../engine/message/topic-name.ts";
import { SERIALIZE_JSON } from "../../../../engine/remoting/command.ts";
import type { PullMessageHeader } from "../../../../engine/remoting/commands/pull-message.ts";
import type { GetMessageResult, GetMessageStatus } from "../../../../engine/store/store-api.ts";
import { brokerFixture, NotingChannel, type BrokerFixture } from "./broker-fixture.ts";

const SUSPEND = 2;
const SUBSCRIPTION = 4;
const topic = internTopic("Pulled");

interface Read extends Partial<Omit<GetMessageResult, "status" | "release">> {
  readonly released?: () => void;
}

function read(status: GetMessageStatus, given: Read = {}): GetMessageResult {
  const { released, ...rest } = given;
  return {
    status,
    nextBeginOffset: 0,
    minOffset: 0,
    maxOffset: 0,
    buffers: [],
    messageCount: 0,
    bodyBytes: 0,
    suggestPullingFromSlave: false,
    release: released ?? (() => undefined),
    ...rest,
  };
}

const found = (text: string, nextBeginOffset: number, released?: () => void) =>
  read("FOUND", {
    buffers: [Buffer.from(text.slice(0, 1)), Buffer.from(text.slice(1))],
    nextBeginOffset,
    maxOffset: nextBeginOffset,
    messageCount: 1,
    ...(released === undefined ? {} : { released }),
  });

class PullTest implements Disposable {
  readonly channel = new NotingChannel();
  readonly path: PullPath;
  clock = 5_000;
  private readonly fixture: BrokerFixture;
  private opaque = 0;

  constructor(properties = "") {
    this.fixture = brokerFixture(properties);
    this.fixture.context.topics.ensure("Pulled", 4, 6);
    this.path = new PullPath(this.fixture.context, () => this.clock);
  }

  get store() {
    return this.fixture.store;
  }

  pull(changes: Partial<PullMessageHeader> = {}): void {
    this.opaque += 1;
    const header = {
      consumerGroup: "CG",
      topic: "Pulled",
      queueId: 0,
      queueOffset: 5,
      maxMsgNums: 32,
      sysFlag: SUSPEND + SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: 15_000,
      subVersion: 0,
      subscription: "*",
      ...changes,
    };
    const channel = this.channel.asChannel;
    const { opaque } = this;
    this.path.serve(header, { channel, opaque, serializeType: SERIALIZE_JSON, isOneway: false });
  }

  arrive(maxOffset: number): void {
    this.store.maxOffset = maxOffset;
    this.store.arrive(topic, 0, maxOffset);
  }

  after(ms: number): void {
    this.clock += ms;
    this.path.held.tick();
  }

  /** Answers so far as `code remark nextBeginOffset body`. */
  get answers(): string[] {
    return this.channel.answers.map(
      ({ code, remark, extFields, body }) =>
        `${code} ${remark} ${extFields?.get("nextBeginOffset")} ${body?.toString() ?? ""}`,
    );
  }

  [Symbol.dispose](): void {
    this.path.held.stop();
    this.fixture[Symbol.dispose]();
  }
}

/** A read that ends when the test says so. */
function slowRead() {
  let resolve: (result: GetMessageResult) => void = () => undefined;
  const promise = new Promise<GetMessageResult>((done) => (resolve = done));
  return { promise, resolve: (result: GetMessageResult) => resolve(result) };
}

const atEnd = read("OFFSET_OVERFLOW_ONE", { nextBeginOffset: 5, maxOffset: 5 });

describe("PullPath", () => {
  it("writes head and records as one frame and gives the buffers back once they left", () => {
    using test = new PullTest();
    const released = vi.fn<() => void>();
    test.store.reads = [found("records", 6, released)];
    test.pull();
    expect(test.answers).toEqual(["0 FOUND 6 records"]);
    expect(released).toHaveBeenCalledTimes(1);
  });

  it("holds at the end, reads again when a message arrives, and answers that", () => {
    using test = new PullTest();
    test.store.reads = [atEnd, found("news", 6)];
    test.pull();
    expect(test.answers).toEqual([]);
    test.arrive(5);
    expect(test.store.readOffsets).toEqual([5]);
    test.arrive(6);
    expect(test.answers).toEqual(["0 FOUND 6 news"]);
    expect(test.path.held.size).toBe(0);
  });

  it("answers 19 when its time is up", () => {
    using test = new PullTest();
    test.store.reads = [atEnd];
    test.pull({ suspendTimeoutMillis: 1_000 });
    test.after(900);
    expect(test.answers).toEqual([]);
    test.after(200);
    expect(test.answers).toEqual(["19 OFFSET_OVERFLOW_ONE 5 "]);
  });

  it("R-19: holds at most a minute, whatever is asked", () => {
    using test = new PullTest();
    test.store.reads = [atEnd];
    test.pull({ suspendTimeoutMillis: 9_000_000_000 });
    test.after(60_100);
    expect(test.answers).toHaveLength(1);
  });

  it("4.2.5: with longPollingEnable=false it holds for shortPollingTimeMills", () => {
    using test = new PullTest("longPollingEnable=false\nshortPollingTimeMills=200\n");
    test.store.reads = [atEnd];
    test.pull();
    test.after(300);
    expect(test.answers).toHaveLength(1);
  });

  it("4.2.5: stays held while its filter wants nothing, reading each message once", () => {
    using test = new PullTest();
    const nothing = (next: number) =>
      read("NO_MATCHED_MESSAGE", { nextBeginOffset: next, maxOffset: next });
    test.store.reads = [atEnd, nothing(7), nothing(9), found("mine", 10)];
    test.pull({ subscription: "TagA" });
    test.arrive(7);
    test.arrive(9);
    expect(test.answers).toEqual([]);
    test.arrive(10);
    expect(test.store.readOffsets).toEqual([5, 5, 7, 9]);
    expect(test.answers).toEqual(["0 FOUND 10 mine"]);
  });

  it("answers 20 when a scan ended before the queue did: nobody would wake it for the rest", () => {
    using test = new PullTest();
    const part = read("NO_MATCHED_MESSAGE", { nextBeginOffset: 805, maxOffset: 2_000 });
    test.store.reads = [atEnd, part];
    test.pull({ subscription: "TagA" });
    test.arrive(2_000);
    expect(test.answers).toEqual(["20 NO_MATCHED_MESSAGE 805 "]);
  });

  it("answers a first pull that matches nothing at once with 20", () => {
    using test = new PullTest();
    test.store.reads = [read("NO_MATCHED_MESSAGE", { nextBeginOffset: 9, maxOffset: 9 })];
    test.pull({ subscription: "TagA" });
    expect(test.answers).toEqual(["20 NO_MATCHED_MESSAGE 9 "]);
  });

  it("skips over a missing queue file at once instead of holding the reader there", () => {
    using test = new PullTest();
    test.store.reads = [read("OFFSET_FOUND_NULL", { nextBeginOffset: 300, maxOffset: 400 })];
    test.pull();
    expect(test.answers).toEqual(["19 OFFSET_FOUND_NULL 300 "]);
  });

  it("misses no message that arrives during an asynchronous read", async () => {
    using test = new PullTest();
    const slow = slowRead();
    test.store.reads = [slow.promise, found("news", 6)];
    test.pull();
    test.arrive(6);
    slow.resolve(atEnd);
    await slow.promise;
    await Promise.resolve();
    expect(test.answers).toEqual(["0 FOUND 6 news"]);
  });

  it("a read that fails answers 1 and says nothing of files", async () => {
    using test = new PullTest();
    test.store.reads = [Promise.reject(new Error("EIO: /secret/path"))];
    test.pull();
    await new Promise((resolve) => setImmediate(resolve));
    expect(test.channel.answers).toMatchObject([
      { code: 1, remark: "the messages could not be read" },
    ]);
  });

  it("F-27: a peer that does not read gets nothing until it did", () => {
    using test = new PullTest();
    test.store.reads = [found("records", 6)];
    test.channel.outbound.pendingBytes = 2 * 1_048_576;
    test.pull();
    test.after(150);
    test.after(150);
    expect(test.store.readOffsets).toEqual([]);
    test.channel.outbound.pendingBytes = 0;
    test.after(150);
    expect(test.answers).toEqual(["0 FOUND 6 records"]);
  });

  it("gives the buffers back when the connection closed during the read", async () => {
    using test = new PullTest();
    const released = vi.fn<() => void>();
    const slow = slowRead();
    test.store.reads = [slow.promise];
    test.pull();
    test.channel.end();
    slow.resolve(found("records", 6, released));
    await slow.promise;
    await Promise.resolve();
    expect(test.answers).toEqual([]);
    expect(released).toHaveBeenCalledTimes(1);
  });
});

describe("PullPath on a slave", () => {
  const SLAVE = "brokerRole=SLAVE\nbrokerId=1\n";
  const past = read("OFFSET_OVERFLOW_BADLY", { nextBeginOffset: 3, maxOffset: 3 });

  it("4.2.3: answers 20 at the asked offset where a master would move it", () => {
    using test = new PullTest(SLAVE);
    for (const status of [
      "OFFSET_OVERFLOW_BADLY",
      "OFFSET_TOO_SMALL",
      "NO_MESSAGE_IN_QUEUE",
    ] as const) {
      test.store.reads = [read(status, { nextBeginOffset: 3 })];
      test.pull({ sysFlag: SUBSCRIPTION });
    }
    expect(test.answers).toEqual([
      "20 OFFSET_OVERFLOW_BADLY 5 ",
      "20 OFFSET_TOO_SMALL 5 ",
      "20 NO_MESSAGE_IN_QUEUE 5 ",
    ]);
  });

  it("holds a reader that is ahead of it instead of letting it spin, and wakes it when it caught up", () => {
    using test = new PullTest(SLAVE);
    test.store.reads = [past, found("caught up", 6)];
    test.pull();
    test.arrive(4);
    expect(test.answers).toEqual([]);
    test.arrive(6);
    expect(test.answers).toEqual(["0 FOUND 6 caught up"]);
  });

  it("with offsetCheckInSlave it moves offsets as a master does", () => {
    using test = new PullTest(`${SLAVE}offsetCheckInSlave=true\n`);
    test.store.reads = [past];
    test.pull();
    expect(test.answers).toEqual(["21 OFFSET_OVERFLOW_BADLY 3 "]);
  });
});

describe("suggestWhichBrokerId", () => {
  const suggested = (properties: string, isSlow: boolean): string | undefined => {
    using test = new PullTest(properties);
    test.store.reads = [{ ...found("x", 6), suggestPullingFromSlave: isSlow }];
    test.pull();
    return test.channel.answers[0]?.extFields?.get("suggestWhichBrokerId");
  };

  it("4.2.4: is 0 unless slaves may serve and the reader is far behind", () => {
    expect(suggested("", true)).toBe("0");
    expect(suggested("slaveReadEnable=true\n", false)).toBe("0");
    expect(suggested("slaveReadEnable=true\n", true)).toBe("1");
  });
});
