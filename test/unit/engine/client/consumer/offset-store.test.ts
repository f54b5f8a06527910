import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineError } from "../../../../../engine/base/engine-error.ts";
import { nodeVfs } from "../../../../../engine/base/node-vfs.ts";
import { BrokerTable } from "../../../../../engine/client/broker-table.ts";
import {
  LocalOffsetStore,
  RemoteOffsetStore,
} from "../../../../../engine/client/consumer/offset-store.ts";
import type { RemotingCommand, RequestCommand } from "../../../../../engine/remoting/command.ts";
import type { RemotingClient } from "../../../../../engine/remoting/server-api.ts";

const queue = (queueId: number, brokerName = "broker-a") => ({ topic: "T", brokerName, queueId });

interface Sent {
  readonly kind: "invoke" | "oneway";
  readonly address: string;
  readonly request: RequestCommand;
}

function broker(
  answer: { code: number; offset?: string } | Error,
): RemotingClient & { sent: Sent[] } {
  const sent: Sent[] = [];
  const reply = (): Promise<RemotingCommand> => {
    if (answer instanceof Error) return Promise.reject(answer);
    const extFields = new Map(answer.offset === undefined ? [] : [["offset", answer.offset]]);
    const rest = {
      language: 0,
      version: 393,
      opaque: 1,
      flag: 1,
      remark: null,
      body: null,
    } as const;
    return Promise.resolve({ code: answer.code, extFields, serializeType: 0, ...rest });
  };
  return {
    sent,
    invoke: (address, request) => {
      sent.push({ kind: "invoke", address, request });
      return reply();
    },
    sendOneway: async (address, request) => {
      sent.push({ kind: "oneway", address, request });
      await reply();
    },
    disconnect: () => undefined,
    close: () => undefined,
  };
}

function remoteStore(remoting: RemotingClient, addrs: ReadonlyMap<number, string>) {
  const brokers = new BrokerTable();
  brokers.learn({
    topic: "T",
    brokers: [{ cluster: "C", brokerName: "broker-a", brokerAddrs: addrs }],
    queues: [
      { brokerName: "broker-a", readQueueNums: 4, writeQueueNums: 4, perm: 6, topicSysFlag: 0 },
    ],
    orderTopicConf: undefined,
  });
  return new RemoteOffsetStore({ remoting, brokers, group: "G" });
}

const both = new Map([
  [1, "slave"],
  [0, "master"],
]);

describe("remote offset store (remoting-protocol 4.3)", () => {
  it("the first offset of a topic goes ahead alone: 4.9's broker loses others that come while it makes the group's table", async () => {
    const answered: (() => void)[] = [];
    const remoting = broker({ code: 0 });
    const held: RemotingClient = {
      ...remoting,
      invoke: async (...args) => {
        await new Promise<void>((resolve) => answered.push(resolve));
        return remoting.invoke(...args);
      },
    };
    const store = remoteStore(held, both);
    for (const queueId of [0, 1, 2]) store.update(queue(queueId), 5, true);
    const written = store.persist(true);
    expect(answered).toHaveLength(1);
    answered[0]?.();
    await expect.poll(() => answered.length).toBe(3);
    for (const answer of answered) answer();
    expect(await written).toEqual([]);
    for (const queueId of [0, 1, 2]) store.update(queue(queueId), 6, true);
    void store.persist(true);
    await expect.poll(() => answered.length).toBe(6);
  });

  it("says what a broker did not take, and keeps it for the next time", async () => {
    const down = new EngineError("REMOTING_TIMEOUT", { message: "no answer" });
    const store = remoteStore(broker(down), both);
    for (const queueId of [0, 1]) store.update(queue(queueId), 5, true);
    expect(await store.persist(true)).toEqual([down, down]);
    expect(await store.persist(true)).toHaveLength(2);
  });

  it("writes what changed, once, one-way to the master, and waits for the answer when asked to", async () => {
    const remoting = broker({ code: 0 });
    const store = remoteStore(remoting, both);
    store.update(queue(0), 5, true);
    store.update(queue(1), 6, true);
    await store.persist(false);
    await store.persist(false);
    expect(remoting.sent.map(({ kind, address }) => [kind, address])).toEqual([
      ["oneway", "master"],
      ["oneway", "master"],
    ]);
    expect(Object.fromEntries(remoting.sent[0]?.request.extFields ?? [])).toEqual({
      consumerGroup: "G",
      topic: "T",
      queueId: "0",
      commitOffset: "5",
    });
    store.update(queue(0), 9, true);
    await store.persist(true);
    expect(remoting.sent.at(-1)?.kind).toBe("invoke");
  });

  it("keeps what could not be written for the next time", async () => {
    const remoting = broker(new EngineError("REMOTING_CONNECT_FAILED", { message: "down" }));
    const store = remoteStore(remoting, both);
    store.update(queue(0), 5, true);
    await store.persist(false);
    await store.persist(false);
    expect(remoting.sent).toHaveLength(2);
  });

  it("goes forward only when told so", () => {
    const store = remoteStore(broker({ code: 0 }), both);
    store.update(queue(0), 5, true);
    store.update(queue(0), 3, true);
    expect(store.read(queue(0))).toBe(5);
    store.update(queue(0), 3, false);
    expect(store.read(queue(0))).toBe(3);
    store.forget(queue(0));
    expect(store.read(queue(0))).toBeUndefined();
  });

  it("22 means nothing is kept; every other refusal and silence is an error, never a fresh start (4.3.1)", async () => {
    expect(await remoteStore(broker({ code: 0, offset: "12" }), both).fetch(queue(0))).toBe(12);
    expect(await remoteStore(broker({ code: 22 }), both).fetch(queue(0))).toBeNull();
    for (const code of [1, 2, 14]) {
      await expect(remoteStore(broker({ code }), both).fetch(queue(0))).rejects.toMatchObject({
        responseCode: code,
      });
    }
    const timeout = new EngineError("REMOTING_TIMEOUT", { message: "late" });
    await expect(remoteStore(broker(timeout), both).fetch(queue(0))).rejects.toBe(timeout);
  });

  it("asks the slave when there is no master", async () => {
    const remoting = broker({ code: 0, offset: "1" });
    await remoteStore(remoting, new Map([[1, "slave"]])).fetch(queue(0));
    expect(remoting.sent[0]?.address).toBe("slave");
  });
});

describe("local offset store", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "offsets-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("is read again by the next run, in Java's form", async () => {
    const path = join(directory, "192.0.2.1@DEFAULT", "G", "offsets.json");
    const store = new LocalOffsetStore(nodeVfs, path);
    expect(await store.fetch(queue(0))).toBeNull();
    store.update(queue(0), 7, true);
    store.update(queue(1, "broker-b"), 9, true);
    await store.persist();
    expect(readFileSync(path, "utf8")).toBe(
      '{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:7,{"brokerName":"broker-b","queueId":1,"topic":"T"}:9}}',
    );
    const again = new LocalOffsetStore(nodeVfs, path);
    expect(await again.fetch(queue(1, "broker-b"))).toBe(9);
    again.forget();
    expect(again.ofTopic("T")).toHaveLength(2);
  });
});
