/** ACL 1.0 on a name server, a master and a slave: who is served, hot reload, administration, fail closed (faults-and-security 8). */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AclCredentials } from "../../../engine/acl/request-signature.ts";
import { createAdminClient } from "../../../engine/admin/index.ts";
import type { RunningBroker } from "../../../engine/broker/broker.ts";
import { createClient, createProducer, createPushConsumer } from "../../../engine/client/index.ts";
import { ACCOUNT, ACCOUNTS, signed, writeAccounts, writeTools } from "../../helpers/acl-home.ts";
import { sendFields } from "../../helpers/broker-peer.ts";
import { Cleanup } from "../../helpers/cleanup.ts";
import { RemotingPeer, type PeerAnswer, type PeerRequest } from "../../helpers/remoting-peer.ts";
import { EngineFixture, until } from "./engine-fixture.ts";

const TOPIC = "AclTopic";
const ACL = { aclEnable: true };

/** Failures are counted by address, so every test that fails on purpose comes from one of its own. */
let nextHost = 2;
const ownAddress = (): string => `127.0.0.${nextHost++}`;

describe("access control", () => {
  const cleanup = new Cleanup();
  let engine: EngineFixture;
  let broker: RunningBroker;
  let file = "";

  beforeAll(async () => {
    engine = cleanup.use(new EngineFixture());
    file = writeAccounts(engine.home);
    writeTools(engine.home, ACCOUNT.broker);
    const home = `rocketmqHome=${engine.home}\n`;
    await engine.startNamesrv(0, `${home}aclEnable=true\naclBrokerAccessKey=broker-account\n`);
    broker = await engine.startBroker({ ...ACL, rocketmqHome: engine.home });
    await until("the broker is registered", async () => {
      const answer = await once(namesrvPort(), signed({ code: 106 }, ACCOUNT.app));
      return answer.body?.includes("broker-a") === true;
    });
    const admin = adminOf(ACCOUNT.admin);
    const spec = { topic: TOPIC, readQueueNums: 4, writeQueueNums: 4 };
    await admin.createTopic(spec, { brokerAddr: broker.brokerAddr });
    await until(
      "the topic is routed",
      async () => (await admin.route(engine.namesrvAddr, TOPIC)) !== null,
    );
  });
  afterAll(() => cleanup[Symbol.asyncDispose]());

  const namesrvPort = (): number => Number(engine.namesrvAddr.split(":")[1]);

  function adminOf(credentials: AclCredentials) {
    const admin = createAdminClient({ namesrvAddrs: [engine.namesrvAddr], credentials });
    cleanup.defer(() => admin.close());
    return admin;
  }

  /** One request on a connection of its own. */
  async function once(port: number, request: PeerRequest, from = "127.0.0.1"): Promise<PeerAnswer> {
    using peer = await RemotingPeer.connect(port, from);
    return await peer.ask(request);
  }

  const send = (changes: Readonly<Record<string, string>> = {}): PeerRequest => ({
    code: 310,
    ext: sendFields(TOPIC, changes),
    body: "hello",
  });

  it("our client, with credentials, produces and consumes; without, it gets no route", async () => {
    const client = createClient({ namesrvAddrs: [engine.namesrvAddr], credentials: ACCOUNT.app });
    cleanup.defer(() => client.close());
    const producer = createProducer(client, { group: "PG" });
    await producer.start();
    const got: string[] = [];
    const consumer = createPushConsumer(client, {
      group: "CG_acl",
      consumeFrom: "first",
      listener: (messages) => {
        got.push(...messages.map(({ body }) => body.toString()));
        return "success";
      },
    });
    consumer.subscribe(TOPIC);
    await consumer.start();
    const bodies = Array.from({ length: 50 }, (_, i) => `m${i}`);
    for (const body of bodies) await producer.send({ topic: TOPIC, body: Buffer.from(body) });
    await until("all came", () => got.length >= bodies.length);
    expect(got.toSorted()).toEqual(bodies.toSorted());
    const stranger = createClient({ namesrvAddrs: [engine.namesrvAddr] });
    cleanup.defer(() => stranger.close());
    await expect(stranger.route(TOPIC, { refresh: true })).rejects.toThrow(/code 16/);
  });

  it("a message put off is sent back (36) signed and comes again; unsigned or wrongly signed nothing is sent back", async () => {
    const client = createClient({ namesrvAddrs: [engine.namesrvAddr], credentials: ACCOUNT.app });
    cleanup.defer(() => client.close());
    const admin = adminOf(ACCOUNT.admin);
    const spec = { topic: "AclBack", readQueueNums: 1, writeQueueNums: 1 };
    await admin.createTopic(spec, { brokerAddr: broker.brokerAddr });
    const times: number[] = [];
    const consumer = createPushConsumer(client, {
      group: "CG_back",
      consumeFrom: "first",
      rebalanceMs: 500,
      listener: (messages) => {
        times.push(...messages.map(({ reconsumeTimes }) => reconsumeTimes));
        return messages[0]?.reconsumeTimes === 0 ? "later" : "success";
      },
    });
    consumer.subscribe("AclBack");
    await consumer.start();
    const producer = createProducer(client, { group: "PG_back" });
    await producer.start();
    const sent = await producer.send({ topic: "AclBack", body: Buffer.from("again") });
    await until("it came twice", () => times.length === 2, 30_000);
    expect(times).toEqual([0, 1]);
    const offset = Number.parseInt(sent.offsetMsgId.slice(-16), 16);
    const ext = { group: "CG_back", originTopic: "AclBack", offset, delayLevel: 1 };
    const from = ownAddress();
    const delayed = { code: 30, ext: { topic: "SCHEDULE_TOPIC_XXXX", queueId: 0 } };
    const waiting = async () => (await once(broker.port, signed(delayed, ACCOUNT.admin))).ext;
    const before = await waiting();
    const back = { code: 36, ext: { ...ext, maxReconsumeTimes: 16 } };
    for (const request of [back, signed(back, ACCOUNT.wrong)])
      expect((await once(broker.port, request, from)).code).toBe(16);
    expect(await waiting()).toEqual(before);
    expect((await once(broker.port, signed(back, ACCOUNT.app))).code).toBe(0);
    expect(await waiting()).toEqual({ offset: String(Number(before["offset"]) + 1) });
  });

  it("refuses with 16 and stores nothing: unsigned, wrongly signed, without the right", async () => {
    const from = ownAddress();
    const end = async (): Promise<string | undefined> => {
      const request = { code: 30, ext: { topic: TOPIC, queueId: 0 } };
      return (await once(broker.port, signed(request, ACCOUNT.app))).ext["offset"];
    };
    const before = await end();
    const refused = [
      [send(), "No accessKey is configured"],
      [signed(send(), ACCOUNT.wrong), "Check signature failed for accessKey=app-account"],
      [signed(send(), ACCOUNT.reader), `No default permission for ${TOPIC}`],
      [{ ...signed(send(), ACCOUNT.app), body: "hullo" }, "Check signature failed"],
      [signed({ ...send(), code: 320 }, ACCOUNT.reader), `No default permission for ${TOPIC}`],
      [signed({ code: 26 }, ACCOUNT.app), "Need admin permission for request code=26"],
    ] as const;
    for (const [request, remark] of refused) {
      const answer = await once(broker.port, request, from);
      expect(answer).toMatchObject({ code: 16, remark: expect.stringContaining(remark) });
    }
    expect(await end()).toBe(before);
    expect((await once(broker.port, signed(send(), ACCOUNT.app), from)).code).toBe(0);
  });

  it("guards every request the broker and the name server serve (E-01)", async () => {
    const from = ownAddress();
    for (const port of [broker.port, broker.port - 2, namesrvPort()]) {
      using stranger = await RemotingPeer.connect(port, from);
      using admin = await RemotingPeer.connect(port);
      // Every number 4.9 uses, and our own from 30001.
      const codes = Array.from({ length: 400 }, (_, i) => (i < 360 ? i : 30_000 + i - 360));
      const unsigned = await Promise.all(codes.map((code) => stranger.ask({ code })));
      expect(unsigned.filter(({ code }) => code !== 16 && code !== 3)).toEqual([]);
      const served = codes.filter((_, i) => unsigned[i]?.code === 16);
      expect(served.length).toBeGreaterThanOrEqual(20);
      const answers = await Promise.all(
        served.map((code) => admin.ask(signed({ code }, ACCOUNT.admin))),
      );
      expect(answers.filter(({ remark }) => remark?.includes("No access rule"))).toEqual([]);
    }
  });

  it("after ten failures within a minute each further answer waits a second (E-06)", async () => {
    using peer = await RemotingPeer.connect(broker.port, ownAddress());
    for (let i = 0; i < 10; i += 1) await peer.ask(send());
    const started = performance.now();
    expect((await peer.ask(send())).code).toBe(16);
    expect(performance.now() - started).toBeGreaterThan(900);
    // Others, and its own good requests, do not wait.
    const again = performance.now();
    expect((await peer.ask(signed(send(), ACCOUNT.app))).code).toBe(0);
    expect(performance.now() - again).toBeLessThan(900);
  });

  it("50, 51, 52 and 53 change the file, 54 does not exist (E-07)", async () => {
    const ask = (request: PeerRequest, account: AclCredentials = ACCOUNT.admin) =>
      once(broker.port, signed(request, account), "127.0.0.1");
    const counter = async (): Promise<number> => {
      const { ext } = await ask({ code: 52 });
      return (JSON.parse(ext["version"] ?? "{}") as { counter: number }).counter;
    };
    const before = await counter();
    const fresh = { accessKey: "fresh-account", secretKey: "s3cret-of-fresh" };
    const created = { ...fresh, admin: "false", topicPerms: `${TOPIC}=PUB,Other=DENY` };
    expect((await ask({ code: 50, ext: created })).code).toBe(0);
    expect((await ask(send(), fresh)).code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const version = await ask({ code: 52 });
    expect(await counter()).toBe(before + 1);
    expect(version.ext).toMatchObject({ brokerName: "broker-a", clusterName: "DefaultCluster" });
    const bad = await ask({ code: 50, ext: { ...created, topicPerms: "T=PUP" } });
    expect(bad).toMatchObject({ code: 209, remark: expect.stringContaining("permission error") });
    expect((await ask({ code: 53, ext: { globalWhiteAddrs: "127.0.0.*,10.0.0.1" } })).code).toBe(0);
    expect(readFileSync(file, "utf8")).toContain("- '127.0.0.*'\n- '10.0.0.1'\n");
    expect((await ask({ code: 53, ext: { globalWhiteAddrs: "10.0.0" } })).code).toBe(211);
    expect((await ask({ code: 53, ext: { globalWhiteAddrs: "" } })).code).toBe(0);
    expect((await ask({ code: 51, ext: { accessKey: "fresh-account" } })).code).toBe(0);
    expect((await ask({ code: 51, ext: { accessKey: "fresh-account" } })).code).toBe(210);
    expect((await ask(send(), fresh)).remark).toBe("No acl config for fresh-account");
    expect((await ask({ code: 54 })).code).toBe(3);
    const audit = engine.lines.filter((line) => line.includes("acl.audit"));
    expect(
      audit.some((line) => /key=admin-account code=50 .*secretKey=\*{4}.*result=0/.test(line)),
    ).toBe(true);
    expect(engine.lines.join("")).not.toContain("s3cret-of");
  });

  it("reads a changed file at once, and keeps the old rules when it is bad (E-10)", async () => {
    const late = { accessKey: "late-account", secretKey: "s3cret-of-late" };
    const more = `${ACCOUNTS}- accessKey: late-account\n  secretKey: s3cret-of-late\n  defaultTopicPerm: PUB\n`;
    const from = ownAddress();
    const code = async (): Promise<number> =>
      (await once(broker.port, signed(send(), late), from)).code;
    expect(await code()).toBe(16);
    writeFileSync(file, more);
    await until("the new account may send", async () => (await code()) === 0);
    writeFileSync(file, "accounts:\n- accessKey: x\n");
    await until("the bad file was seen", () =>
      engine.lines.some((line) => /access rules cannot be read.*plain_acl\.yml:2/.test(line)),
    );
    expect(await code()).toBe(0);
    writeFileSync(file, ACCOUNTS);
    await until("the account is gone", async () => (await code()) === 16);
  });

  it("a slave signs its registration and its reading of the master's tables (E-09)", async () => {
    const slave = await engine.startBroker({
      ...ACL,
      rocketmqHome: engine.home,
      brokerRole: "SLAVE",
      brokerId: 1,
    });
    const tables = async (): Promise<string> =>
      (await once(slave.port, signed({ code: 21 }, ACCOUNT.admin))).body ?? "";
    await until("the slave has the master's topics", async () => (await tables()).includes(TOPIC));
    const info = await adminOf(ACCOUNT.admin).clusterInfo(engine.namesrvAddr);
    expect(info.brokers[0]?.brokerAddrs.get(1)).toBe(slave.brokerAddr);
  });

  it("a broker that signs nothing is not registered, and says why", async () => {
    await engine.startBroker({ brokerName: "broker-x", rocketmqHome: join(engine.home, "none") });
    const reason = "cannot register with a name server";
    expect(
      engine.lines.some((line) => line.includes(reason) && line.includes("No accessKey")),
    ).toBe(true);
    const info = await adminOf(ACCOUNT.admin).clusterInfo(engine.namesrvAddr);
    expect(info.brokers.map(({ brokerName }) => brokerName)).toEqual(["broker-a"]);
  });
});
