/** The name server's other requests (remoting-protocol 3.6 to 3.8, admin-protocol B.3), over real sockets. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { REQUEST_CODE } from "../../../../engine/remoting/request-codes.ts";
import type { PeerAnswer } from "../../../helpers/remoting-peer.ts";
import { NamesrvFixture, topic } from "./namesrv-fixture.ts";

let ns: NamesrvFixture;
beforeEach(async () => {
  ns = await NamesrvFixture.start();
});
afterEach(() => ns[Symbol.asyncDispose]());

type Ext = Readonly<Record<string, string | number | boolean>>;

function ask(code: number, ext: Ext = {}, body = ""): Promise<PeerAnswer> {
  return ns.ask({ code, ext, body });
}

async function permOf(topicName: string): Promise<string | undefined> {
  return /"perm":(\d+)/.exec((await ns.route(topicName)).body ?? "")?.[1];
}

describe("routes (3.6)", () => {
  it("quotes the ids for version 401 and for acceptStandardJsonOnly", async () => {
    await ns.register();
    expect((await ns.route("JTopic", 401)).body).toContain('{"0":"10.0.0.1:10911"}');
    const strict = await ask(REQUEST_CODE.GET_ROUTEINFO_BY_TOPIC, {
      topic: "JTopic",
      acceptStandardJsonOnly: true,
    });
    expect(strict.body).toContain('{"0":"10.0.0.1:10911"}');
  });

  it("lists queues of every broker, brokers only while they have an address", async () => {
    await ns.register();
    await ns.register({ brokerName: "broker-b", brokerAddr: "10.0.0.3:10911" });
    const { body } = await ns.route("JTopic");
    expect(body).toContain('"brokerName":"broker-a"');
    expect(body).toContain('{0:"10.0.0.3:10911"}');
  });

  it("orderTopicConf appears only with orderMessageEnable, between filterServerTable and queueDatas", async () => {
    await ask(REQUEST_CODE.PUT_KV_CONFIG, {
      namespace: "ORDER_TOPIC_CONFIG",
      key: "JTopic",
      value: "broker-a:4",
    });
    await ns.register();
    expect((await ns.route("JTopic")).body).not.toContain("orderTopicConf");
    await ask(REQUEST_CODE.UPDATE_NAMESRV_CONFIG, {}, "orderMessageEnable=true");
    expect((await ns.route("JTopic")).body).toContain(
      '"filterServerTable":{},"orderTopicConf":"broker-a:4","queueDatas"',
    );
  });

  it("a missing topic field is answered, not dropped", async () => {
    expect(await ask(REQUEST_CODE.GET_ROUTEINFO_BY_TOPIC)).toMatchObject({
      code: 1,
      remark: "the custom field <topic> is null",
    });
  });

  it("unknown codes are answered 3 (F-11)", async () => {
    expect(await ask(310)).toMatchObject({ code: 3 });
  });
});

describe("topic lists", () => {
  beforeEach(async () => {
    await ns.register({
      topics: [
        topic("Plain"),
        topic("Unit", { topicSysFlag: 1 }),
        topic("Sub", { topicSysFlag: 2 }),
        topic("UnitSub", { topicSysFlag: 3 }),
      ],
    });
    await ns.register({
      brokerName: "broker-b",
      clusterName: "Second",
      brokerAddr: "10.0.0.3:10911",
      topics: [topic("Plain"), topic("Far")],
    });
  });

  const list = (...topics: string[]): string => JSON.stringify({ topicList: topics });

  it.each([
    [REQUEST_CODE.GET_ALL_TOPIC_LIST_FROM_NAMESERVER, {}, "Plain,Unit,Sub,UnitSub,Far"],
    [REQUEST_CODE.GET_TOPICS_BY_CLUSTER, { cluster: "Second" }, "Plain,Far"],
    [REQUEST_CODE.GET_UNIT_TOPIC_LIST, {}, "Unit,UnitSub"],
    [REQUEST_CODE.GET_HAS_UNIT_SUB_TOPIC_LIST, {}, "Sub,UnitSub"],
    [REQUEST_CODE.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST, {}, "Sub"],
  ])("%i %j lists %s", async (code, ext, topics) => {
    expect((await ask(code, ext)).body).toBe(list(...topics.split(",")));
  });

  it("224 answers an empty list for an unknown cluster", async () => {
    const answer = await ask(REQUEST_CODE.GET_TOPICS_BY_CLUSTER, { cluster: "None" });
    expect(answer).toMatchObject({ code: 0, body: '{"topicList":[]}' });
  });

  it("304 lists brokers and clusters with one broker's address, and none without brokers", async () => {
    expect((await ask(REQUEST_CODE.GET_SYSTEM_TOPIC_LIST_FROM_NS)).body).toBe(
      '{"brokerAddr":"10.0.0.1:10911","topicList":["broker-a","broker-b","DefaultCluster","Second"]}',
    );
    await using empty = await NamesrvFixture.start();
    const answer = await empty.ask({ code: REQUEST_CODE.GET_SYSTEM_TOPIC_LIST_FROM_NS });
    expect(answer.body).toBe('{"topicList":[]}');
  });

  it("216 forgets a topic, or one cluster's queues of it, until the broker's next changed register", async () => {
    const remove = (ext: Ext): Promise<PeerAnswer> =>
      ask(REQUEST_CODE.DELETE_TOPIC_IN_NAMESRV, ext);
    await remove({ topic: "Plain", clusterName: "Second" });
    expect((await ns.route("Plain")).body).not.toContain("broker-b");
    expect(await remove({ topic: "Plain" })).toMatchObject({ code: 0 });
    expect((await ns.route("Plain")).code).toBe(17);
    expect(await remove({ topic: "Plain" })).toMatchObject({ code: 0 });
    await ns.register({ topics: [topic("Plain")] });
    expect((await ns.route("Plain")).code).toBe(17);
    await ns.register({ counter: 2, topics: [topic("Plain")] });
    expect((await ns.route("Plain")).code).toBe(0);
  });
});

describe("write permission (205, 327)", () => {
  it("wiping clears bit 2, survives registrations of the same version, ends with a changed one", async () => {
    const topics = [topic("JTopic"), topic("System", { perm: 7 })];
    await ns.register({ topics });
    const wiped = await ask(REQUEST_CODE.WIPE_WRITE_PERM_OF_BROKER, { brokerName: "broker-a" });
    expect(wiped).toMatchObject({ code: 0, ext: { wipeTopicCount: "2" } });
    expect([await permOf("JTopic"), await permOf("System")]).toEqual(["4", "5"]);
    await ns.register({ topics });
    expect(await permOf("JTopic")).toBe("4");
    await ns.register({ counter: 2, topics });
    expect(await permOf("JTopic")).toBe("6");
  });

  it("adding sets 6 everywhere, also where it was 7", async () => {
    await ns.register({ topics: [topic("Low", { perm: 4 }), topic("System", { perm: 7 })] });
    const added = await ask(REQUEST_CODE.ADD_WRITE_PERM_OF_BROKER, { brokerName: "broker-a" });
    expect(added).toMatchObject({ code: 0, ext: { addTopicCount: "2" } });
    expect([await permOf("Low"), await permOf("System")]).toEqual(["6", "6"]);
  });

  it("an unknown broker name counts 0", async () => {
    const answer = await ask(REQUEST_CODE.WIPE_WRITE_PERM_OF_BROKER, { brokerName: "nobody" });
    expect(answer).toMatchObject({ code: 0, ext: { wipeTopicCount: "0" } });
  });
});

describe("key-values (100, 101, 102, 219)", () => {
  const put = (namespace: string, key: string, value: string): Promise<PeerAnswer> =>
    ask(REQUEST_CODE.PUT_KV_CONFIG, { namespace, key, value });
  const get = (namespace: string, key: string): Promise<PeerAnswer> =>
    ask(REQUEST_CODE.GET_KV_CONFIG, { namespace, key });

  it("puts, gets, lists and deletes; the namespace stays behind", async () => {
    expect(await put("ns", "k", "v\u4e2d")).toMatchObject({ code: 0 });
    expect(await get("ns", "k")).toMatchObject({ code: 0, ext: { value: "v\u4e2d" } });
    expect((await ask(REQUEST_CODE.GET_KVLIST_BY_NAMESPACE, { namespace: "ns" })).body).toBe(
      '{"table":{"k":"v\u4e2d"}}',
    );
    await ask(REQUEST_CODE.DELETE_KV_CONFIG, { namespace: "ns", key: "k" });
    expect(await get("ns", "k")).toMatchObject({
      code: 22,
      remark: "No config item, Namespace: ns Key: k",
    });
    expect((await ask(REQUEST_CODE.GET_KVLIST_BY_NAMESPACE, { namespace: "ns" })).body).toBe(
      '{"table":{}}',
    );
    expect(await ask(REQUEST_CODE.GET_KVLIST_BY_NAMESPACE, { namespace: "no" })).toMatchObject({
      code: 22,
      remark: "No config item, Namespace: no",
    });
  });

  it("survives a restart, in 4.9's file format", async () => {
    await put("ns", "k", "v");
    const file = join(ns.home, "namesrv/kvConfig.json");
    expect(readFileSync(file, "utf8")).toBe('{"configTable":{"ns":{"k":"v"}}}');
    await ns.restart();
    expect((await get("ns", "k")).ext).toEqual({ value: "v" });
  });

  it("does not start as if there was nothing when the file and its copies are damaged", async () => {
    await put("ns", "k", "v");
    writeFileSync(join(ns.home, "namesrv/kvConfig.json"), '{"configTable":{"ns');
    await expect(ns.restart()).rejects.toThrow("damaged");
  });

  it.each([
    [{ key: "k", value: "v" }, "namespace or key is null"],
    [{ namespace: "ns", value: "v" }, "namespace or key is null"],
    [{ namespace: "ns", key: "k" }, "<value> is null"],
    [{ namespace: "../ns", key: "k", value: "v" }, "must be 1 to 255"],
    [{ namespace: "ns", key: "k".repeat(256), value: "v" }, "must be 1 to 255"],
    [{ namespace: "ns", key: "k", value: "v".repeat(65_537) }, "64 KiB"],
  ])("R-33: refuses a bad put (%#) and keeps nothing of it", async (ext, reason) => {
    const answer = await ask(REQUEST_CODE.PUT_KV_CONFIG, ext);
    expect(answer.code).toBe(1);
    expect(answer.remark).toContain(reason);
    expect(await ask(REQUEST_CODE.GET_KVLIST_BY_NAMESPACE, { namespace: "ns" })).toMatchObject({
      code: 22,
    });
  });
});

describe("configuration (318, 319)", () => {
  const update = (text: string): Promise<PeerAnswer> =>
    ask(REQUEST_CODE.UPDATE_NAMESRV_CONFIG, {}, text);
  const shown = async (): Promise<string> =>
    (await ask(REQUEST_CODE.GET_NAMESRV_CONFIG)).body ?? "";

  it("319 shows every key with its value", async () => {
    const text = await shown();
    expect(text).toContain("orderMessageEnable=false\n");
    expect(text).toContain("serverChannelMaxIdleTimeSeconds=120\n");
    expect(text).toContain("bindAddress=127.0.0.1\n");
  });

  it("R-31: a request with one forbidden key changes nothing, not even its allowed key", async () => {
    const before = await shown();
    for (const key of ["kvConfigPath", "configStorePath", "rocketmqHome", "listenPort", "x"]) {
      expect(await update(`orderMessageEnable=true\n${key}=1`)).toMatchObject({ code: 16 });
    }
    expect(await shown()).toBe(before);
  });

  it("a bad value is code 1 and changes nothing", async () => {
    const answer = await update("orderMessageEnable=yes");
    expect(answer.code).toBe(1);
    expect(answer.remark).toContain("neither true nor false: yes");
    expect(await shown()).toContain("orderMessageEnable=false\n");
  });

  it("a change goes to the file first and leaves its other lines and comments alone", async () => {
    const file = join(ns.home, "namesrv.properties");
    writeFileSync(file, "# mine\nlistenPort=9876\norderMessageEnable=false\n! end\n");
    expect(await update("orderMessageEnable=true")).toMatchObject({ code: 0 });
    expect(readFileSync(file, "utf8")).toBe(
      "# mine\nlistenPort=9876\norderMessageEnable=true\n! end\n",
    );
    expect(await shown()).toContain("orderMessageEnable=true\n");
  });
});

describe("log (F-35)", () => {
  it("what a peer sends cannot forge a line", async () => {
    await ask(REQUEST_CODE.WIPE_WRITE_PERM_OF_BROKER, { brokerName: "x\nERROR forged" });
    expect(ns.lines.filter((line) => line.includes("forged"))).toHaveLength(1);
    expect(ns.lines.some((line) => line.startsWith("ERROR"))).toBe(false);
    expect(ns.lines.join("")).toContain("x\\u000aERROR forged");
  });
});
