/** The two clusters mqadmin is compared on, each one name server, a master and a slave, and the one JVM that runs every command on it. */
import { join, resolve } from "node:path";
import { createAdminClient, type AdminClient } from "../../../engine/admin/index.ts";
import type { LineChild } from "../../helpers/child.ts";
import { Cleanup } from "../../helpers/cleanup.ts";
import {
  freeBrokerPort,
  startBrokerProcess,
  startNamesrvProcess,
} from "../../helpers/engine-process.ts";
import { startAdminTools, startApacheBroker, startApacheNamesrv } from "../apache.ts";

const ANSWER_MS = 60_000;
const COMMAND_MS = 30_000;

/** Settings both clusters get. */
const SETTINGS = {
  brokerName: "broker-a",
  brokerClusterName: "DefaultCluster",
  traceTopicEnable: "true",
  enablePropertyFilter: "true",
  mappedFileSizeCommitLog: 64 * 1_048_576,
  maxHashSlotNum: 10_000,
  maxIndexNum: 40_000,
  deleteWhen: "04",
  /** Apache's check creates its topic after this, and would do so at some point of the run. */
  transactionCheckInterval: 600_000,
} as const;

/** Ids of a message as its sender learnt them. */
export interface SentMessage {
  readonly uniqueId: string;
  readonly offsetId: string;
}

/** One cluster and its tools. */
export class Side implements AsyncDisposable {
  readonly name: "ours" | "apache";
  readonly home: string;
  namesrv = "";
  master = "";
  slave = "";
  sent: readonly SentMessage[] = [];
  /** Asks our admin protocol of either cluster: for waiting, not for comparing. */
  admin: AdminClient = createAdminClient({ namesrvAddrs: [] });
  private readonly cleanup = new Cleanup();
  private jvm: LineChild | null = null;
  private asked = 0;

  private constructor(name: "ours" | "apache", home: string) {
    this.name = name;
    this.home = resolve(home);
  }

  /** @param home an empty folder of its own */
  static async start(name: "ours" | "apache", home: string): Promise<Side> {
    const side = new Side(name, home);
    try {
      await (name === "ours" ? side.startOurs(home) : side.startApache(home));
      await side.startTools(join(home, "tools"));
    } catch (error) {
      await side[Symbol.asyncDispose]();
      throw error;
    }
    return side;
  }

  /** Runs one mqadmin command. @returns everything it printed */
  run(args: readonly string[], limitMs = COMMAND_MS): Promise<string> {
    return this.ask(["run", String(limitMs), ...args]);
  }

  /** Sends numbered messages with keys and tags to the topic's queues in turn. */
  async send(topic: string, count: number): Promise<void> {
    const lines = await this.ask(["send", this.namesrv, topic, String(count)]);
    this.sent = lines
      .trim()
      .split("\n")
      .map((line) => {
        const [uniqueId = "", offsetId = ""] = line.split("\t");
        return { uniqueId, offsetId };
      });
  }

  async consume(topic: string, group: string): Promise<void> {
    const answer = await this.ask(["consume", this.namesrv, topic, group]);
    if (answer !== "started\n") throw new Error(answer);
  }

  /** Ids of the group's members. */
  async members(group: string): Promise<readonly string[]> {
    return (await this.admin.consumerConnections(this.master, group)).map((one) => one.clientId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.admin.close();
    await this.cleanup[Symbol.asyncDispose]();
  }

  private async startOurs(home: string): Promise<void> {
    const folder = join(this.home, "namesrv");
    const kvConfigPath = join(folder, "namesrv", "kvConfig.json");
    const namesrv = await startNamesrvProcess(folder, undefined, { kvConfigPath });
    this.namesrv = this.cleanup.use(namesrv).address;
    const properties = { ...SETTINGS, namesrvAddr: this.namesrv };
    const master = startBrokerProcess(join(home, "master"), properties);
    const slave = startBrokerProcess(join(home, "slave"), {
      ...properties,
      brokerRole: "SLAVE",
      brokerId: 1,
    });
    this.master = this.cleanup.use(await master).address;
    this.slave = this.cleanup.use(await slave).address;
  }

  private async startApache(home: string): Promise<void> {
    const version = "4.9.0";
    const listenPort = await freeBrokerPort();
    const namesrvHome = join(home, "namesrv");
    this.cleanup.use(
      await startApacheNamesrv({ version, home: namesrvHome, properties: { listenPort } }),
    );
    this.namesrv = `127.0.0.1:${listenPort}`;
    const ports = [await freeBrokerPort(), await freeBrokerPort()] as const;
    const start = (name: string, port: number, own: Record<string, string | number>) =>
      startApacheBroker({
        version,
        home: join(home, name),
        properties: { ...SETTINGS, namesrvAddr: this.namesrv, listenPort: port, ...own },
      });
    const master = start("master", ports[0], { brokerId: 0 });
    const slave = start("slave", ports[1], { brokerRole: "SLAVE", brokerId: 1 });
    this.cleanup.use(await master);
    this.cleanup.use(await slave);
    this.master = `127.0.0.1:${ports[0]}`;
    this.slave = `127.0.0.1:${ports[1]}`;
  }

  private async startTools(home: string): Promise<void> {
    this.admin = createAdminClient({ namesrvAddrs: [this.namesrv] });
    const jvm = await startAdminTools({ version: "4.9.0", home });
    this.jvm = this.cleanup.use(jvm);
    await jvm.waitForLine((line) => line === "ready", ANSWER_MS);
  }

  private async ask(words: readonly string[]): Promise<string> {
    const { jvm } = this;
    if (jvm === null) throw new Error("the tools do not run");
    const prefix = `answer ${this.asked} `;
    this.asked += 1;
    jvm.write(`${words.join("\t")}\n`);
    const line = await jvm.waitForLine((one) => one.startsWith(prefix), ANSWER_MS);
    return Buffer.from(line.slice(prefix.length), "base64").toString("utf8");
  }
}
