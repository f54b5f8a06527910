/** Apache's unmodified Go client v2.1.2, one process, feature after feature on our broker. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACCOUNT, writeAccounts } from "../helpers/acl-home.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { startBrokerProcess, startNamesrvProcess } from "../helpers/engine-process.ts";
import { machineHas } from "../helpers/requirements.ts";
import { FeatureClient } from "./feature-client.ts";
import { FeatureStage } from "./feature-stage.ts";
import { itConsumes, itSends, type Scene } from "./shared-features.ts";
import { itIsAdministered, itReachesBrokers, itTakesItsTime } from "./shared-care.ts";

describe.runIf(machineHas("go"))("Apache's Go client, feature by feature", () => {
  let scene: Scene;
  beforeAll(async () => {
    const stage = await FeatureStage.start();
    const client = await FeatureClient.go(stage.home, { namesrv: stage.namesrv });
    scene = { stage, client: stage.use(client) };
  }, 300_000);
  afterAll(async () => scene.stage[Symbol.asyncDispose]());

  itSends(() => scene);
  itConsumes(() => scene);
  itIsAdministered(() => scene);
  itReachesBrokers(() => scene);
  itTakesItsTime(() => scene);

  it("its pull consumer polls, acknowledges, and a new one goes on there [lite]", async () => {
    const { stage, client } = scene;
    const topic = await stage.topic("go_pull");
    await client.ask("send", { topic, count: 12 });
    const pull = { topic, group: "CG_go_pull" };
    expect((await client.ask("pull", { ...pull, instance: "p1", count: 12 })).number).toBe(12);
    await client.ask("send", { topic, prefix: "next", count: 4 });
    await client.ask("pull", { ...pull, instance: "p2", count: 4 });
    const next = client.received("CG_go_pull").slice(12);
    expect(next.map(({ key }) => key).toSorted()).toEqual(["next-0", "next-1", "next-2", "next-3"]);
  });

  it("its transactions: committed, rolled back, and committed at a check [transactions]", async () => {
    const { stage, client } = scene;
    const topic = await stage.topic("go_transactions");
    for (const prefix of ["commit", "rollback", "check"]) {
      const { sends } = await client.ask("transaction", { topic, prefix, count: 2 });
      expect(sends.map(({ status }) => status)).toEqual(["SEND_OK", "SEND_OK"]);
    }
    await client.ask("consume", { id: topic, topic });
    const got = await client.untilKeys(topic, 4);
    const keys = got.map(({ key }) => key).toSorted();
    expect(keys).toEqual(["check-0", "check-1", "commit-0", "commit-1"]);
    const checks = client.lines.filter((line) => line.includes('"event":"check"'));
    expect(checks.every((line) => line.includes("check-"))).toBe(true);
  });

  it("its request gets the reply of our consumer [request]", async () => {
    const { stage, client } = scene;
    const topic = await stage.topic("go_request");
    const producer = await stage.producer();
    await stage.consume(topic, {
      listener: async (messages) => {
        for (const message of messages)
          await producer.reply(message, { body: Buffer.from(`re ${message.body.toString()}`) });
        return "success" as const;
      },
    });
    const { reply } = await client.ask("request", { topic, prefix: "ask" });
    expect(reply).toBe("re ask-0");
  });

  it("signs with its account, and gets nowhere with a wrong secret [acl]", async () => {
    const { client } = scene;
    await using cleanup = new Cleanup();
    const home = mkdtempSync(join(tmpdir(), "lab-go-acl-"));
    cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
    writeAccounts(home);
    const { accessKey, secretKey } = ACCOUNT.broker;
    const tools = `accessKey: ${accessKey}\nsecretKey: ${secretKey}\n`;
    writeFileSync(join(home, "conf", "tools.yml"), tools, { mode: 0o600 });
    const acl = { aclEnable: "true", rocketmqHome: home, aclBrokerAccessKey: "broker-account" };
    const server = await startNamesrvProcess(join(home, "namesrv"), undefined, acl);
    const namesrv = cleanup.use(server).address;
    const own = { ...acl, brokerName: "broker-a", namesrvAddr: namesrv };
    cleanup.use(await startBrokerProcess(join(home, "broker-a"), own));
    const options = { topic: "GoAcl", namesrv, ...ACCOUNT.app };
    const { sends } = await client.ask("send", { ...options, group: "PG_acl", count: 5 });
    expect(sends.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => "SEND_OK"));
    await client.ask("consume", { ...options, id: "acl" });
    await client.untilKeys("acl", 5);
    const wrong = { ...options, ...ACCOUNT.wrong, group: "PG_wrong" };
    const refused = await client.ask("send", wrong).catch((error: unknown) => String(error));
    expect(typeof refused === "string" || refused.sends[0]?.status === "EXCEPTION").toBe(true);
  });
});
