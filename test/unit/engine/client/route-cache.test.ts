import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../../engine/base/logger.ts";
import { NameServers } from "../../../../engine/client/name-servers.ts";
import { decodeTopicRoute, RouteCache } from "../../../../engine/client/route-cache.ts";
import { subscribeQueuesOf } from "../../../../engine/client/message-queues.ts";
import { EngineError } from "../../../../engine/base/engine-error.ts";
import type { RemotingCommand } from "../../../../engine/remoting/command.ts";
import type { RemotingClient } from "../../../../engine/remoting/server-api.ts";

/** The bytes a 4.9.0 name server sends (remoting-protocol 2.3), two brokers. */
const ROUTE =
  '{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.2:10911"},"brokerName":"broker-b","cluster":"DefaultCluster"},' +
  '{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:11011"},"brokerName":"broker-a","cluster":"DefaultCluster"}],' +
  '"filterServerTable":{},"queueDatas":[{"brokerName":"broker-b","perm":4,"readQueueNums":1,"topicSysFlag":0,"writeQueueNums":2},' +
  '{"brokerName":"broker-a","perm":6,"readQueueNums":2,"topicSysFlag":0,"writeQueueNums":4}]}';

function answer(code: number, body: string | null): RemotingCommand {
  return {
    code,
    language: 0,
    version: 393,
    opaque: 1,
    flag: 1,
    remark: null,
    extFields: new Map(),
    body: body === null ? null : Buffer.from(body),
    serializeType: 0,
  };
}

/** Name servers by address; an Error is what asking them ends with. */
function remoting(
  answers: Record<string, RemotingCommand | Error>,
): RemotingClient & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    invoke: (address) => {
      asked.push(address);
      const found = answers[address] ?? new Error("unknown address");
      return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
    },
    sendOneway: () => Promise.resolve(),
    disconnect: () => undefined,
    close: () => undefined,
  };
}

const down = new EngineError("REMOTING_CONNECT_FAILED", { message: "refused" });

function cache(client: RemotingClient, addresses: readonly string[]) {
  const changes: string[] = [];
  const routes = new RouteCache({
    nameServers: new NameServers(client, addresses),
    logger: silentLogger,
    onChange: (topic) => changes.push(topic),
    onRecheck: () => undefined,
  });
  return { routes, changes };
}

describe("route decoding", () => {
  it("reads Java's bytes, queues by broker name", () => {
    const route = decodeTopicRoute("T", Buffer.from(ROUTE));
    expect(route.queues.map((queue) => queue.brokerName)).toEqual(["broker-a", "broker-b"]);
    expect(route.brokers[1]?.brokerAddrs).toEqual(
      new Map([
        [0, "10.0.0.1:10911"],
        [1, "10.0.0.2:11011"],
      ]),
    );
    expect(route.orderTopicConf).toBeUndefined();
    expect(subscribeQueuesOf(route).map((q) => `${q.brokerName}/${q.queueId}`)).toEqual([
      "broker-a/0",
      "broker-a/1",
      "broker-b/0",
    ]);
  });
});

describe("route cache", () => {
  it("asks the next name server when one does not answer, or does not know", async () => {
    for (const first of [down, answer(17, null), answer(1, null)]) {
      const client = remoting({ a: first, b: answer(0, ROUTE), c: first });
      const { routes } = cache(client, ["a", "b", "c"]);
      expect((await routes.fetch("T"))?.queues).toHaveLength(2);
      const before = client.asked.length;
      await routes.fetch("T");
      expect(client.asked.slice(before)).toEqual(["b"]);
    }
  });

  it("is null only when every name server that answered says 17, and keeps the old route", async () => {
    const answers: Record<string, RemotingCommand | Error> = { a: answer(0, ROUTE), b: down };
    const { routes } = cache(remoting(answers), ["a", "b"]);
    const known = await routes.fetch("T");
    answers["a"] = answer(17, null);
    expect(await routes.fetch("T")).toBeNull();
    expect(routes.cached("T")).toBe(known);
  });

  it("rejects with CLIENT_NO_ROUTE when none answers", async () => {
    const { routes } = cache(remoting({ a: down, b: down }), ["a", "b"]);
    await expect(routes.fetch("T")).rejects.toMatchObject({ code: "CLIENT_NO_ROUTE" });
    expect(() => cache(remoting({}), [])).toThrow("no name server address");
  });

  it("reports a change only when the route changed", async () => {
    const answers: Record<string, RemotingCommand | Error> = { a: answer(0, ROUTE) };
    const { routes, changes } = cache(remoting(answers), ["a"]);
    const first = await routes.fetch("T");
    expect(await routes.fetch("T")).toBe(first);
    answers["a"] = answer(0, ROUTE.replace('{0:"10.0.0.1:10911",1:', "{1:"));
    await routes.fetch("T");
    expect(changes).toEqual(["T", "T"]);
    expect(routes.brokers.pullTarget("broker-a", 0)).toEqual({
      address: "10.0.0.2:11011",
      isSlave: true,
    });
  });

  it("asks again at once when an address it names is lost, until it is named no more", async () => {
    const answers: Record<string, RemotingCommand | Error> = { a: answer(0, ROUTE) };
    const client = remoting(answers);
    const { routes, changes } = cache(client, ["a"]);
    await routes.fetch("T");
    const beganMs = performance.now();
    routes.suspect("10.0.0.1:10911");
    await expect.poll(() => client.asked.length, { interval: 5 }).toBeGreaterThan(2);
    answers["a"] = answer(0, ROUTE.replace('{0:"10.0.0.1:10911",1:', "{1:"));
    await expect.poll(() => changes.length, { interval: 5 }).toBe(2);
    expect(performance.now() - beganMs).toBeLessThan(900);
    routes.close();
  });
});
