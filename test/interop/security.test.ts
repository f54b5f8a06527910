/** ACL 1.0 and TLS with Apache's 4.9.0 parts: their client and mqadmin on our name server and broker, our client on their broker. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAclDocument, renderAclDocument } from "../../engine/acl/acl-document.ts";
import type { AclCredentials } from "../../engine/acl/request-signature.ts";
import { createAdminClient } from "../../engine/admin/index.ts";
import { createClient, createProducer, createPushConsumer } from "../../engine/client/index.ts";
import { ACCOUNT, ACCOUNTS, signed, writeAccounts, writeTools } from "../helpers/acl-home.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { sendFields } from "../helpers/broker-peer.ts";
import { freeBrokerPort, type EngineProcess } from "../helpers/engine-process.ts";
import { RemotingPeer } from "../helpers/remoting-peer.ts";
import { machineHas } from "../helpers/requirements.ts";
import { writeTlsHome, type TlsHome } from "../helpers/tls-home.ts";
import { mqadmin, startApacheBroker, startApacheNamesrv, startJava } from "./apache.ts";
import { deliveries, keysOf, sends } from "./json-events.ts";
import { OwnServers } from "./own-servers.ts";

const WAIT_MS = 60_000;
const version = "4.9.0";
const COUNT = 40;

function account({ accessKey, secretKey }: AclCredentials): string[] {
  return [`accessKey=${accessKey}`, `secretKey=${secretKey}`];
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 30_000, interval: 100 }).toBe(true);
}

describe.runIf(machineHas("java", "maven"))("access control with Apache's parts", () => {
  const cluster = new Cleanup();
  let home = "";
  let aclFile = "";
  let namesrv = "";
  let broker: EngineProcess;

  beforeAll(async () => {
    const servers = await OwnServers.start((folder) => {
      aclFile = writeAccounts(folder);
      writeTools(folder, ACCOUNT.broker);
      return {
        both: { aclEnable: "true", rocketmqHome: folder, aclBrokerAccessKey: "broker-account" },
      };
    });
    ({ home, namesrv, broker } = cluster.use(servers));
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const java = (program: "LabProducer" | "LabConsumer", args: readonly string[]) =>
    startJava(program, { version, home }, [`namesrv=${namesrv}`, "topic=AclJava", ...args]);

  const admin = async (...args: readonly string[]): Promise<string> => {
    const tools = join(home, "tools");
    writeTools(tools, ACCOUNT.admin);
    return (await mqadmin({ version, home: tools }, [...args, "-n", namesrv])).output;
  };

  async function codeOfSend(credentials: AclCredentials): Promise<number> {
    using peer = await RemotingPeer.connect(broker.port);
    const request = { code: 310, ext: sendFields("AclJava"), body: "x" };
    return (await peer.ask(signed(request, credentials))).code;
  }

  it("the Java client with AclClientRPCHook produces and consumes", async () => {
    const app = account(ACCOUNT.app);
    await using producer = await java("LabProducer", [`count=${COUNT}`, ...app]);
    await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    const sent = sends(producer.lines);
    expect(sent.map(({ status }) => status)).toEqual(sent.map(() => "SEND_OK"));
    await using consumer = await java("LabConsumer", ["group=CG_acl", ...app]);
    await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= COUNT, WAIT_MS);
    expect(keysOf(deliveries(consumer.lines))).toEqual(keysOf(sent));
  });

  it("with a wrong secret the Java client gets nowhere", async () => {
    await using producer = await java("LabProducer", ["count=1", ...account(ACCOUNT.wrong)]);
    await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    expect(sends(producer.lines).map(({ status }) => status)).toEqual(["EXCEPTION"]);
  });

  it("mqadmin with tools.yml makes, changes and deletes accounts and white addresses", async () => {
    const fresh = { accessKey: "fresh-account", secretKey: "s3cret-of-fresh" };
    const where = ["-b", broker.address];
    const keys = ["-a", fresh.accessKey, "-s", fresh.secretKey];
    const perms = ["-i", "DENY", "-u", "SUB", "-t", "AclJava=PUB|SUB", "-g", "CG_a=SUB,CG_b=DENY"];
    expect(await admin("updateAclConfig", ...where, ...keys, ...perms)).toContain("success");
    expect(await codeOfSend(fresh)).toBe(0);
    expect(readFileSync(aclFile, "utf8")).toContain("- 'CG_b=DENY'");
    const white = await admin("updateGlobalWhiteAddr", ...where, "-g", "127.0.0.*,10.1.2.3");
    expect(white).toContain("success");
    expect(await admin("clusterAclConfigVersion", "-c", "DefaultCluster")).toMatch(
      /DefaultCluster\s+broker-a\s+127\.0\.0\.1:\d+\s+2\s/,
    );
    expect(await admin("deleteAccessConfig", ...where, "-a", fresh.accessKey)).toContain("success");
    expect(await codeOfSend(fresh)).toBe(16);
  });

  it("mqadmin without an account is refused by name server and broker", async () => {
    const options = { version, home: join(home, "bare") } as const;
    const { output } = await mqadmin(options, ["clusterList", "-n", namesrv]);
    expect(output).toContain("No accessKey is configured");
  });
});

describe.runIf(machineHas("java", "maven"))("TLS with Apache's parts", () => {
  const cluster = new Cleanup();
  let home = "";
  let namesrv = "";
  let tls: TlsHome;

  beforeAll(async () => {
    const servers = await OwnServers.start((folder) => {
      tls = writeTlsHome(folder, "require");
      return { both: { "tls.config.file": tls.configFile } };
    });
    ({ home, namesrv } = cluster.use(servers));
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const jvm = (): string[] => ["-Dtls.enable=true", `-Dtls.config.file=${tls.configFile}`];

  it("the Java client with certificates on both sides produces and consumes", async () => {
    const options = { version, home, jvm: jvm() } as const;
    const common = [`namesrv=${namesrv}`, "topic=TlsJava"];
    await using producer = await startJava("LabProducer", options, [
      ...common,
      `count=${COUNT}`,
      "size=30000",
    ]);
    await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    const sent = sends(producer.lines);
    expect(sent.map(({ status }) => status)).toEqual(sent.map(() => "SEND_OK"));
    await using consumer = await startJava("LabConsumer", options, [...common, "group=CG_tls"]);
    await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= COUNT, WAIT_MS);
    expect(keysOf(deliveries(consumer.lines))).toEqual(keysOf(sent));
  });

  it("mqadmin reads the cluster over TLS", async () => {
    const options = { version, home: join(home, "tools"), jvm: jvm() } as const;
    const { output } = await mqadmin(options, ["clusterList", "-n", namesrv]);
    expect(output).toMatch(/DefaultCluster\s+broker-a\s+0\s+127\.0\.0\.1:\d+\s+V4_9_0/);
  });

  it("a plain Java client gets nowhere", async () => {
    await using producer = await startJava("LabProducer", { version, home }, [
      `namesrv=${namesrv}`,
      "topic=TlsJava",
      "count=1",
      "retries=0",
    ]);
    await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    expect(sends(producer.lines).map(({ status }) => status)).toEqual(["EXCEPTION"]);
  });
});

describe.runIf(machineHas("java", "maven"))("our client on Apache's broker", () => {
  const cluster = new Cleanup();
  let home = "";
  let namesrv = "";
  let brokerAddr = "";

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "lab-apache-acl-"));
    cluster.defer(() => rmSync(home, { recursive: true, force: true }));
    const listenPort = await freeBrokerPort();
    const nsPort = await freeBrokerPort();
    namesrv = `127.0.0.1:${nsPort}`;
    brokerAddr = `127.0.0.1:${listenPort}`;
    // Written by us, read by SnakeYAML.
    const ours = renderAclDocument(parseAclDocument(ACCOUNTS, "accounts").document);
    writeAccounts(join(home, "broker"), ours);
    const ns = { version, home: join(home, "ns"), properties: { listenPort: nsPort } } as const;
    cluster.use(await startApacheNamesrv(ns));
    const properties = {
      listenPort,
      namesrvAddr: namesrv,
      brokerName: "broker-j",
      aclEnable: "true",
    };
    cluster.use(await startApacheBroker({ version, home: join(home, "broker"), properties }));
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  it("with credentials it creates a topic, produces and consumes; with a wrong secret it is refused", async () => {
    const operator = createAdminClient({ namesrvAddrs: [namesrv], credentials: ACCOUNT.admin });
    cluster.defer(() => operator.close());
    const spec = { topic: "OurAcl", readQueueNums: 4, writeQueueNums: 4 };
    await operator.createTopic(spec, { brokerAddr });
    await until(async () => (await operator.route(namesrv, "OurAcl")) !== null);
    const client = createClient({ namesrvAddrs: [namesrv], credentials: ACCOUNT.app });
    cluster.defer(() => client.close());
    const producer = createProducer(client, { group: "PG_ours" });
    await producer.start();
    const got: string[] = [];
    const consumer = createPushConsumer(client, {
      group: "CG_ours",
      consumeFrom: "first",
      listener: (messages) => {
        got.push(...messages.map(({ body }) => body.toString()));
        return "success";
      },
    });
    consumer.subscribe("OurAcl");
    await consumer.start();
    const bodies = Array.from({ length: COUNT }, (_, i) => `m${i}-ä中`);
    for (const body of bodies)
      await producer.send({ topic: "OurAcl", body: Buffer.from(body), tags: "ä", keys: [body] });
    await until(async () => got.length >= COUNT);
    expect(got.toSorted()).toEqual(bodies.toSorted());
    await until(async () => {
      const found = await operator.queryMessages({ topic: "OurAcl", key: "m1-ä中" });
      return found.length === 1;
    });
    const wrong = createClient({ namesrvAddrs: [namesrv], credentials: ACCOUNT.wrong });
    cluster.defer(() => wrong.close());
    const stranger = createProducer(wrong, { group: "PG_wrong", retries: 0 });
    await stranger.start();
    await expect(stranger.send({ topic: "OurAcl", body: Buffer.from("x") })).rejects.toThrow(
      /Check signature failed/,
    );
  });
});
