/** REGISTER_BROKER: every effect of remoting-protocol 3.2, and 3.3 to 3.5, over real sockets. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { crc32 } from "../../../../engine/base/crc32.ts";
import { BrokerRegistry } from "../../../../engine/namesrv/broker-registry.ts";
import { checkedRegistration } from "../../../../engine/namesrv/registration-checks.ts";
import { silentLogger } from "../../../../engine/base/logger.ts";
import { REQUEST_CODE } from "../../../../engine/remoting/request-codes.ts";
import { NamesrvFixture, registration, topic } from "./namesrv-fixture.ts";

const FAQ = "\nSee http://rocketmq.apache.org/docs/faq/ for further details.";
const SLAVE = { brokerId: 1, brokerAddr: "10.0.0.2:10911", haServerAddr: "10.0.0.2:10912" };

let ns: NamesrvFixture;
beforeEach(async () => {
  ns = await NamesrvFixture.start();
});
afterEach(() => ns[Symbol.asyncDispose]());

function perms(body: string | null): number[] {
  return [...(body ?? "").matchAll(/"perm":(\d+)/g)].map((match) => Number(match[1]));
}

describe("REGISTER_BROKER (3.2)", () => {
  it("a master's registration makes its topics routable, with the exact bytes of 2.3", async () => {
    const answer = await ns.register();
    expect(answer).toMatchObject({ code: 0, ext: {}, body: null });
    expect(await ns.register(SLAVE)).toMatchObject({ code: 0 });
    const route = await ns.route("JTopic");
    expect(route.code).toBe(0);
    expect(route.body).toBe(
      '{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"},"brokerName":"broker-a","cluster":"DefaultCluster"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}',
    );
  });

  it("step 1: the broker name joins its cluster", async () => {
    await ns.register();
    await ns.register({ brokerName: "broker-b", brokerAddr: "10.0.0.3:10911" });
    expect((await ns.clusterInfo()).body).toBe(
      '{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"DefaultCluster"},"broker-b":{"brokerAddrs":{0:"10.0.0.3:10911"},"brokerName":"broker-b","cluster":"DefaultCluster"}},"clusterAddrTable":{"DefaultCluster":["broker-a","broker-b"]}}',
    );
  });

  it("step 3: an address that comes back under another id leaves its old id", async () => {
    await ns.register();
    await ns.register(SLAVE);
    await ns.register({ ...SLAVE, brokerId: 0 });
    expect((await ns.clusterInfo()).body).toContain('{0:"10.0.0.2:10911"}');
  });

  it("step 4: a second broker with the same name and id takes the slot over", async () => {
    await ns.register();
    await ns.register({ brokerAddr: "10.0.0.9:10911" });
    expect((await ns.clusterInfo()).body).toContain('{0:"10.0.0.9:10911"}');
    await ns.register();
    expect((await ns.clusterInfo()).body).toContain('{0:"10.0.0.1:10911"}');
  });

  it("step 5: a changed permission counts only under a changed version", async () => {
    await ns.register({ topics: [topic("JTopic", { perm: 6 })] });
    await ns.register({ topics: [topic("JTopic", { perm: 4 })] });
    expect(perms((await ns.route("JTopic")).body)).toEqual([6]);
    await ns.register({ counter: 2, topics: [topic("JTopic", { perm: 4 })] });
    expect(perms((await ns.route("JTopic")).body)).toEqual([4]);
  });

  it("step 5: topics missing from a later table stay", async () => {
    await ns.register({ topics: [topic("JTopic"), topic("Other")] });
    await ns.register({ counter: 2, topics: [topic("New")] });
    const all = await ns.ask({ code: REQUEST_CODE.GET_ALL_TOPIC_LIST_FROM_NAMESERVER });
    expect(all.body).toBe('{"topicList":["JTopic","Other","New"]}');
  });

  it("step 5: a slave's topics are never stored", async () => {
    await ns.register({ ...SLAVE, topics: [topic("OnlyOnSlave")] });
    expect(await ns.route("OnlyOnSlave")).toMatchObject({
      code: 17,
      remark: `No topic route info in name server for the topic: OnlyOnSlave${FAQ}`,
    });
  });

  it("step 5: a new address writes its topics even under the version that is known", async () => {
    await ns.register({ topics: [topic("JTopic", { perm: 6 })] });
    await ns.register({ brokerAddr: "10.0.0.9:10911", topics: [topic("JTopic", { perm: 4 })] });
    expect(perms((await ns.route("JTopic")).body)).toEqual([4]);
  });

  it("step 8: a slave is told its live master; a master and an orphan are told nothing", async () => {
    expect((await ns.register(SLAVE)).ext).toEqual({});
    expect((await ns.register()).ext).toEqual({});
    expect((await ns.register(SLAVE)).ext).toEqual({
      masterAddr: "10.0.0.1:10911",
      haServerAddr: "10.0.0.1:10912",
    });
  });

  it("an empty body is version 0/0 without topics", async () => {
    expect(await ns.ask({ ...registration(), body: "" })).toMatchObject({ code: 0 });
    expect((await ns.clusterInfo()).body).toContain("10.0.0.1:10911");
  });

  it("takes the compressed form", async () => {
    expect(await ns.register({ compressed: true })).toMatchObject({ code: 0 });
    expect((await ns.route("JTopic")).code).toBe(0);
  });

  it("checks bodyCrc32 of the bytes as sent, 0 meaning unchecked", async () => {
    const { body } = registration();
    const bytes = Buffer.from(body ?? "");
    const right = crc32(bytes, 0, bytes.length) & 0x7fff_ffff;
    expect(await ns.register({ ext: { bodyCrc32: right } })).toMatchObject({ code: 0 });
    expect(await ns.register({ ext: { bodyCrc32: 0 } })).toMatchObject({ code: 0 });
    expect(await ns.register({ ext: { bodyCrc32: right ^ 1 } })).toMatchObject({
      code: 1,
      remark: "crc32 not match",
    });
  });

  it("answers the ordered topics once the namespace exists", async () => {
    await ns.ask({
      code: REQUEST_CODE.PUT_KV_CONFIG,
      ext: { namespace: "ORDER_TOPIC_CONFIG", key: "topicX", value: "broker-a:4" },
    });
    expect((await ns.register()).body).toBe('{"table":{"topicX":"broker-a:4"}}');
  });

  it("logs a change once and a heartbeat never", async () => {
    await ns.register();
    const lines = ns.lines.length;
    expect(ns.lines.join("")).toContain("broker registered");
    await ns.register();
    await ns.register();
    expect(ns.lines.length).toBe(lines);
  });
});

describe("R-32: registrations that are refused", () => {
  it.each([
    ["brokerName", { brokerName: "a b" }],
    ["brokerName", { brokerName: "a\nINFO forged" }],
    ["clusterName", { clusterName: "" }],
    ["brokerAddr", { brokerAddr: "10.0.0.1" }],
    ["brokerAddr", { brokerAddr: "10.0.0.1:0" }],
    ["brokerAddr", { brokerAddr: "10.0.0.1:99999" }],
    ["haServerAddr", { haServerAddr: "nowhere" }],
    ["brokerId", { brokerId: -1 }],
    ["advertisedAddresses", { ext: { advertisedAddresses: "198.51.100.0/33=10.0.0.1:10911" } }],
    ["advertisedAddresses", { ext: { advertisedAddresses: "198.51.100.0/28" } }],
  ])("bad %s: code 1 naming it, and nothing is registered", async (field, given) => {
    const answer = await ns.register(given);
    expect(answer.code).toBe(1);
    expect(answer.remark).toContain(field);
    expect((await ns.clusterInfo()).body).toBe('{"brokerAddrTable":{},"clusterAddrTable":{}}');
  });

  it("more than 100,000 topics", () => {
    const header = {
      brokerName: "broker-a",
      brokerAddr: "10.0.0.1:10911",
      clusterName: "C",
      brokerId: 0,
    };
    const topics = Array.from({ length: 100_001 }, (_, i) => topic(`T${i}`));
    const table = { dataVersion: { counter: 1, timestamp: 1 }, topics };
    const policy = { peer: "10.0.0.1", allowForeignBrokerAddr: true };
    const check = (): unknown =>
      checkedRegistration(header, { table, filterServerList: [] }, policy);
    expect(check).toThrow("100001 topics");
  });

  it("addresses of another host, when allowForeignBrokerAddr is false", async () => {
    await using strict = await NamesrvFixture.start("allowForeignBrokerAddr=false");
    expect(await strict.register()).toMatchObject({ code: 1 });
    const own = { brokerAddr: "127.0.0.1:10911", haServerAddr: "127.0.0.1:10912" };
    expect(await strict.register(own)).toMatchObject({ code: 0 });
    expect(await strict.register({ ...own, haServerAddr: "10.0.0.1:10912" })).toMatchObject({
      code: 1,
    });
  });
});

describe("H-12: two masters of one name", () => {
  const OTHER = { brokerAddr: "10.0.0.9:10911" };

  it("the higher epoch keeps the place, and the loser is told both addresses", async () => {
    await ns.register({ ext: { masterEpoch: 3, storeId: "s1" } });
    const refused = await ns.register({ ...OTHER, ext: { masterEpoch: 2, storeId: "s2" } });
    expect(refused.code).toBe(1);
    expect(refused.remark).toContain("10.0.0.1:10911");
    expect(refused.remark).toContain("10.0.0.9:10911");
    expect(await ns.register(OTHER)).toMatchObject({ code: 1 });
    expect((await ns.clusterInfo()).body).toContain('{0:"10.0.0.1:10911"}');
  });

  it("a higher epoch takes the place", async () => {
    await ns.register({ ext: { masterEpoch: 3 } });
    expect(await ns.register({ ...OTHER, ext: { masterEpoch: 4 } })).toMatchObject({ code: 0 });
    expect((await ns.clusterInfo()).body).toContain('{0:"10.0.0.9:10911"}');
  });

  it("at equal epoch the live one stays, unless it is the same store at a new address", async () => {
    await ns.register({ ext: { masterEpoch: 3, storeId: "s1" } });
    const other = await ns.register({ ...OTHER, ext: { masterEpoch: 3, storeId: "s2" } });
    expect(other.code).toBe(1);
    const moved = await ns.register({ ...OTHER, ext: { masterEpoch: 3, storeId: "s1" } });
    expect(moved.code).toBe(0);
  });

  it("a dead master's epoch binds nobody", async () => {
    const peer = await ns.peer();
    await peer.ask(registration({ ext: { masterEpoch: 3 } }));
    peer[Symbol.dispose]();
    await expect.poll(async () => (await ns.register(OTHER)).code).toBe(0);
  });
});

describe("presence (3.3 to 3.5)", () => {
  const QUERY = {
    code: REQUEST_CODE.QUERY_DATA_VERSION,
    ext: {
      brokerName: "broker-a",
      brokerAddr: "10.0.0.1:10911",
      clusterName: "DefaultCluster",
      brokerId: 0,
    },
  };
  const UNREGISTER = { ...QUERY, code: REQUEST_CODE.UNREGISTER_BROKER };

  it("322 says changed for an unknown address and for another version, with the stored version", async () => {
    const version = (counter: number): string => `{"counter":${counter},"timestamp":1795360599123}`;
    const ask = (counter: number): ReturnType<typeof ns.ask> =>
      ns.ask({ ...QUERY, body: version(counter) });
    expect(await ask(1)).toMatchObject({ ext: { changed: "true" }, body: null });
    await ns.register();
    expect(await ask(1)).toMatchObject({ ext: { changed: "false" }, body: version(1) });
    expect(await ask(2)).toMatchObject({ ext: { changed: "true" }, body: version(1) });
  });

  it("104 frees the slot; with the last address the name, its cluster and its topics go", async () => {
    await ns.register();
    await ns.register(SLAVE);
    await ns.ask(UNREGISTER);
    expect((await ns.route("JTopic")).body).toContain('{1:"10.0.0.2:10911"}');
    await ns.ask({ ...UNREGISTER, ext: { ...UNREGISTER.ext, brokerId: 1 } });
    expect((await ns.route("JTopic")).code).toBe(17);
    expect((await ns.clusterInfo()).body).toBe('{"brokerAddrTable":{},"clusterAddrTable":{}}');
  });

  it("a closed connection takes its master at once; the slave keeps the route and its permission", async () => {
    const master = await ns.peer();
    await master.ask(registration());
    await ns.register(SLAVE);
    master[Symbol.dispose]();
    await expect
      .poll(async () => (await ns.route("JTopic")).body)
      .toContain('"brokerAddrs":{1:"10.0.0.2:10911"}');
    expect(perms((await ns.route("JTopic")).body)).toEqual([6]);
    expect((await ns.register(SLAVE)).ext).toEqual({});
  });

  it("an old connection's end does not harm a broker that registered on a new one", async () => {
    const old = await ns.peer();
    await old.ask(registration());
    await ns.register();
    old[Symbol.dispose]();
    // A second peer's close is handled after the first one's: when its broker is gone, the old connection's end is done with.
    const later = await ns.peer();
    await later.ask(registration({ brokerName: "broker-b", brokerAddr: "10.0.0.3:10911" }));
    later[Symbol.dispose]();
    await expect.poll(async () => (await ns.clusterInfo()).body).not.toContain("broker-b");
    expect((await ns.route("JTopic")).code).toBe(0);
  });
});

describe("expiry of silent brokers (3.5), on a clock of the test's", () => {
  const header = (brokerId: number, brokerAddr: string) => ({
    brokerName: "broker-a",
    brokerAddr,
    clusterName: "DefaultCluster",
    brokerId,
  });
  const body = {
    table: { dataVersion: { counter: 1, timestamp: 1 }, topics: [topic("JTopic")] },
    filterServerList: null,
  };
  const policy = { peer: "10.0.0.1", allowForeignBrokerAddr: true };

  function channelThatRecords() {
    const closed: string[] = [];
    const channel = {
      id: 1,
      remoteAddress: "10.0.0.1",
      remotePort: 5,
      remote: "10.0.0.1:5",
      localAddress: "10.0.0.7",
      localPort: 9876,
      isOpen: true,
      close: (reason: string) => closed.push(reason),
    };
    return { closed, channel: channel as never };
  }

  it("keeps a broker for 120 s after its last word, then removes it and closes its connection", () => {
    const registry = new BrokerRegistry(silentLogger);
    const { channel, closed } = channelThatRecords();
    const master = checkedRegistration(header(0, "10.0.0.1:10911"), body, policy);
    registry.register(master, channel, 0);
    registry.queryVersion("10.0.0.1:10911", { counter: 1, timestamp: 1 }, 50_000);
    registry.expire(170_000);
    expect(registry.routes.route("JTopic")).not.toBeNull();
    registry.expire(170_001);
    expect(registry.routes.route("JTopic")).toBeNull();
    expect(closed).toHaveLength(1);
  });

  it("a version query that must register anew is no sign of life", () => {
    const registry = new BrokerRegistry(silentLogger);
    const { channel } = channelThatRecords();
    registry.register(checkedRegistration(header(0, "10.0.0.1:10911"), body, policy), channel, 0);
    registry.queryVersion("10.0.0.1:10911", { counter: 9, timestamp: 1 }, 100_000);
    registry.expire(120_001);
    expect(registry.routes.route("JTopic")).toBeNull();
  });

  it("the address that lost its slot to a namesake dies without taking the namesake's", () => {
    const registry = new BrokerRegistry(silentLogger);
    const { channel } = channelThatRecords();
    registry.register(checkedRegistration(header(0, "10.0.0.1:10911"), body, policy), channel, 0);
    registry.register(
      checkedRegistration(header(0, "10.0.0.9:10911"), body, policy),
      channel,
      100_000,
    );
    registry.expire(120_001);
    expect(registry.routes.brokers.get("broker-a")?.addresses.get(0)).toBe("10.0.0.9:10911");
  });
});
