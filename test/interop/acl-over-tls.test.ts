/** ACL 1.0 and TLS at once, on our name server and broker: Apache's unmodified Java client and ours, side by side in one group of topics. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AclCredentials } from "../../engine/acl/request-signature.ts";
import { createClient, createProducer, createPushConsumer } from "../../engine/client/index.ts";
import { ACCOUNT, writeAccounts, writeTools } from "../helpers/acl-home.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { machineHas } from "../helpers/requirements.ts";
import { writeTlsHome, type TlsHome } from "../helpers/tls-home.ts";
import { mqadmin, startJava } from "./apache.ts";
import { deliveries, keysOf, sends } from "./json-events.ts";
import { OwnServers } from "./own-servers.ts";

const WAIT_MS = 60_000;
const COUNT = 20;
const TOPIC = "SignedAndSealed";
const version = "4.9.0";

describe.runIf(machineHas("java", "maven"))("access control over TLS", () => {
  const cluster = new Cleanup();
  let home = "";
  let namesrv = "";
  let tls: TlsHome;

  beforeAll(async () => {
    const servers = await OwnServers.start((folder) => {
      writeAccounts(folder);
      writeTools(folder, ACCOUNT.broker);
      tls = writeTlsHome(folder, "require");
      const acl = { aclEnable: "true", rocketmqHome: folder, aclBrokerAccessKey: "broker-account" };
      const mode = { "tls.server.mode": "enforcing", "tls.config.file": tls.configFile };
      return { both: { ...acl, ...mode } };
    });
    ({ home, namesrv } = cluster.use(servers));
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const sealed = (): string[] => ["-Dtls.enable=true", `-Dtls.config.file=${tls.configFile}`];

  function java(
    program: "LabProducer" | "LabConsumer",
    by: { readonly account: AclCredentials | null; readonly jvm: readonly string[] },
    ...args: readonly string[]
  ) {
    const { account } = by;
    const keys =
      account === null ? [] : [`accessKey=${account.accessKey}`, `secretKey=${account.secretKey}`];
    const options = { version, home, jvm: [...by.jvm] } as const;
    return startJava(program, options, [`namesrv=${namesrv}`, `topic=${TOPIC}`, ...keys, ...args]);
  }

  const client = (credentials: AclCredentials, withTls = true) => {
    const options = {
      namesrvAddrs: [namesrv],
      credentials,
      ...(withTls ? { tls: tls.client } : {}),
    };
    const made = createClient(options);
    cluster.defer(() => made.close());
    return made;
  };

  it("the Java client with account and certificate produces, ours reads; and the reverse", async () => {
    const by = { account: ACCOUNT.app, jvm: sealed() };
    await using producer = await java("LabProducer", by, `count=${COUNT}`, "prefix=java");
    await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    const sent = sends(producer.lines);
    expect(sent.map(({ status }) => status)).toEqual(sent.map(() => "SEND_OK"));
    const got = new Set<string>();
    const consumer = createPushConsumer(client(ACCOUNT.app), {
      group: "CG_ours",
      consumeFrom: "first",
      listener: (messages) => {
        for (const { keys } of messages) for (const key of keys) got.add(key);
        return "success";
      },
    });
    consumer.subscribe(TOPIC);
    await consumer.start();
    await expect.poll(() => got.size, { timeout: WAIT_MS }).toBe(COUNT);
    expect(got).toEqual(keysOf(sent));
    const own = createProducer(client(ACCOUNT.app), { group: "PG_ours" });
    await own.start();
    const keys = Array.from({ length: COUNT }, (_, i) => `ours-${i}`);
    for (const key of keys) await own.send({ topic: TOPIC, body: Buffer.from(key), keys: [key] });
    await using reader = await java("LabConsumer", by, "group=CG_java");
    await reader.waitUntil((lines) => keysOf(deliveries(lines)).size >= 2 * COUNT, WAIT_MS);
    expect(keysOf(deliveries(reader.lines))).toEqual(new Set([...keys, ...got]));
  });

  it("either alone is not enough: a certificate without the secret, an account without TLS", async () => {
    const once = ["count=1", "retries=0", "prefix=bad"];
    const wrong = { account: ACCOUNT.wrong, jvm: sealed() };
    const plain = { account: ACCOUNT.app, jvm: [] };
    for (const by of [wrong, { ...wrong, account: null }, plain]) {
      await using producer = await java("LabProducer", by, ...once);
      await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
      expect(sends(producer.lines).map(({ status }) => status)).toEqual(["EXCEPTION"]);
    }
    await expect(client(ACCOUNT.wrong).route(TOPIC, { refresh: true })).rejects.toThrow(/code 16/);
    await expect(client(ACCOUNT.app, false).route(TOPIC, { refresh: true })).rejects.toThrow(
      /clos|connect|time/i,
    );
  });

  it("mqadmin with tools.yml and certificates reads the cluster", async () => {
    const options = { version, home, jvm: sealed() } as const;
    const { output } = await mqadmin(options, ["clusterList", "-n", namesrv]);
    expect(output).toMatch(/DefaultCluster\s+broker-a\s+0\s+127\.0\.0\.1:\d+\s+V4_9_0/);
  });
});
