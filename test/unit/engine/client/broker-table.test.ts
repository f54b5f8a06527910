import { describe, expect, it } from "vitest";
import { BrokerTable } from "../../../../engine/client/broker-table.ts";
import type { TopicRoute } from "../../../../engine/client/client-api.ts";

function route(
  topic: string,
  brokers: Readonly<Record<string, Readonly<Record<number, string>>>>,
): TopicRoute {
  return {
    topic,
    brokers: Object.entries(brokers)
      .filter(([, addrs]) => Object.keys(addrs).length > 0)
      .map(([brokerName, addrs]) => ({
        cluster: "C",
        brokerName,
        brokerAddrs: new Map(Object.entries(addrs).map(([id, address]) => [Number(id), address])),
      })),
    queues: Object.keys(brokers).map((brokerName) => ({
      brokerName,
      readQueueNums: 4,
      writeQueueNums: 4,
      perm: 6,
      topicSysFlag: 0,
    })),
    orderTopicConf: undefined,
  };
}

describe("broker table (remoting-protocol 5.7)", () => {
  const table = new BrokerTable();
  table.learn(route("T", { a: { 0: "a0", 1: "a1", 3: "a3" }, b: { 1: "b1" } }));

  it.each([
    ["a", 0, "a0", false],
    ["a", 1, "a1", true],
    ["a", 2, "a3", true],
    ["a", 7, "a0", false],
    ["b", 0, "b1", true],
    ["b", 1, "b1", true],
  ])("pulls of %s with suggested id %i go to %s", (name, id, address, isSlave) => {
    expect(table.pullTarget(name, id)).toEqual({ address, isSlave });
  });

  it("knows masters, and any address where a master is not needed", () => {
    expect(table.master("b")).toBeUndefined();
    expect(table.requireMasterOrAny("b")).toBe("b1");
    expect(() => table.requireMaster("b")).toThrow("broker b has no master now");
    expect(table.pullTarget("x", 0)).toBeUndefined();
    expect(table.addresses("masters")).toEqual(["a0"]);
    expect(table.addresses("all")).toEqual(["a0", "a1", "a3", "b1"]);
  });

  it("forgets a broker that lost its last address, or that no route names any more", () => {
    const changing = new BrokerTable();
    changing.learn(route("T", { a: { 0: "a0" }, b: { 0: "b0" } }));
    changing.learn(route("T", { a: {}, b: { 0: "b0" } }));
    expect(changing.addresses("all")).toEqual(["b0"]);
    changing.retain([route("U", { c: {} })]);
    expect(changing.addresses("all")).toEqual([]);
  });
});
