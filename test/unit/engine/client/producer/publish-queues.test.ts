import { describe, expect, it } from "vitest";
import type { TopicRoute } from "../../../../../engine/client/client-api.ts";
import {
  publishQueuesOf,
  QueueCycle,
  templateQueuesOf,
} from "../../../../../engine/client/producer/publish-queues.ts";

function route(overrides: Partial<TopicRoute> = {}): TopicRoute {
  const queue = { readQueueNums: 2, writeQueueNums: 2, perm: 6, topicSysFlag: 0 };
  return {
    topic: "T",
    brokers: [
      { cluster: "C", brokerName: "broker-b", brokerAddrs: new Map([[0, "b:0"]]) },
      {
        cluster: "C",
        brokerName: "broker-a",
        brokerAddrs: new Map([
          [0, "a:0"],
          [1, "a:1"],
        ]),
      },
    ],
    queues: [
      { brokerName: "broker-b", ...queue },
      { brokerName: "broker-a", ...queue },
    ],
    orderTopicConf: undefined,
    ...overrides,
  };
}

const names = (queues: readonly { queue: { brokerName: string; queueId: number } }[]): string[] =>
  queues.map(({ queue }) => `${queue.brokerName}/${queue.queueId}`);

describe("publish queues", () => {
  it("are those with WRITE whose broker has a master, by broker name and id", () => {
    const found = publishQueuesOf(route());
    expect(names(found)).toEqual(["broker-a/0", "broker-a/1", "broker-b/0", "broker-b/1"]);
    expect(found.map(({ address }) => address)).toEqual(["a:0", "a:0", "b:0", "b:0"]);
  });

  it("leave out a broker name of which only the slave lives", () => {
    const brokers = [
      { cluster: "C", brokerName: "broker-a", brokerAddrs: new Map([[1, "a:1"]]) },
      { cluster: "C", brokerName: "broker-b", brokerAddrs: new Map([[0, "b:0"]]) },
    ];
    expect(names(publishQueuesOf(route({ brokers })))).toEqual(["broker-b/0", "broker-b/1"]);
  });

  it("leave out queues without WRITE", () => {
    const [first, second] = route().queues;
    const queues = [{ ...first, perm: 4 }, second] as TopicRoute["queues"];
    expect(names(publishQueuesOf(route({ queues })))).toEqual(["broker-a/0", "broker-a/1"]);
  });

  it("go by orderTopicConf alone when there is one", () => {
    const ordered = route({ orderTopicConf: "broker-b:1;broker-a:3;broker-x:4" });
    expect(names(publishQueuesOf(ordered))).toEqual([
      "broker-a/0",
      "broker-a/1",
      "broker-a/2",
      "broker-b/0",
    ]);
  });

  it("of a topic to be created follow the template, at most as many as asked for", () => {
    const queues = [
      { brokerName: "broker-a", readQueueNums: 8, writeQueueNums: 8, perm: 7, topicSysFlag: 0 },
      { brokerName: "broker-b", readQueueNums: 2, writeQueueNums: 2, perm: 7, topicSysFlag: 0 },
    ];
    const found = templateQueuesOf("New", route({ topic: "TBW102", queues }), 4);
    expect(names(found)).toEqual([
      "broker-a/0",
      "broker-a/1",
      "broker-a/2",
      "broker-a/3",
      "broker-b/0",
      "broker-b/1",
    ]);
    expect(found.every(({ queue }) => queue.topic === "New")).toBe(true);
  });
});

describe("queue cycle", () => {
  it("takes the queues in turn and begins again", () => {
    const cycle = new QueueCycle(publishQueuesOf(route()), 3);
    const taken = Array.from({ length: 5 }, () => cycle.next());
    expect(names(taken)).toEqual([
      "broker-b/1",
      "broker-a/0",
      "broker-a/1",
      "broker-b/0",
      "broker-b/1",
    ]);
  });

  it("leaves out a broker while there is another one", () => {
    const cycle = new QueueCycle(publishQueuesOf(route()), 0);
    const taken = Array.from({ length: 4 }, () => cycle.next((name) => name === "broker-a"));
    expect(new Set(taken.map(({ queue }) => queue.brokerName))).toEqual(new Set(["broker-b"]));
  });

  it("takes a broker to be left out when it is the only one", () => {
    const queues = publishQueuesOf(route()).slice(0, 2);
    const cycle = new QueueCycle(queues, 0);
    expect(names([cycle.next(() => true), cycle.next(() => true)])).toHaveLength(2);
  });
});
