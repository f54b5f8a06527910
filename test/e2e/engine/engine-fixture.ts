/** Name servers and brokers of one test, in this process, on free ports, below one temporary folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, type Logger } from "../../../engine/base/logger.ts";
import { nodeVfs } from "../../../engine/base/node-vfs.ts";
import { parseProperties } from "../../../engine/base/properties-file.ts";
import { loadBrokerConfig, type BrokerConfig } from "../../../engine/broker/broker-config.ts";
import { startBroker, type RunningBroker } from "../../../engine/broker/broker.ts";
import { loadNamesrvConfig } from "../../../engine/namesrv/namesrv-config.ts";
import { startNamesrv } from "../../../engine/namesrv/namesrv.ts";
import { BrokerPeer } from "../../helpers/broker-peer.ts";
import { Cleanup } from "../../helpers/cleanup.ts";
import { freeBrokerPort } from "../../helpers/engine-process.ts";

export type Properties = Readonly<Record<string, string | number | boolean>>;

/** Small files and 127.0.0.1; a test's own properties win. */
const DEFAULTS: Properties = {
  brokerClusterName: "DefaultCluster",
  brokerIP1: "127.0.0.1",
  brokerIP2: "127.0.0.1",
  bindAddress: "127.0.0.1",
  mappedFileSizeCommitLog: 16 * 1_048_576,
  mappedFileSizeConsumeQueue: 20 * 10_000,
  maxHashSlotNum: 1_000,
  maxIndexNum: 4_000,
};

function configOf(properties: Properties, home: string): BrokerConfig {
  const text = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`);
  const source = { name: "test", entries: parseProperties(text.join(""), "test") };
  return loadBrokerConfig([source], {
    home,
    hostName: "test-host",
    localAddress: "127.0.0.1",
    namesrvAddr: "",
    rocketmqHome: "",
    cpus: 2,
  }).config;
}

/** Waits for a condition, asked every few milliseconds. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export class EngineFixture implements AsyncDisposable {
  readonly home = mkdtempSync(join(tmpdir(), "lab-engine-"));
  /** Log lines of every part. */
  readonly lines: string[] = [];
  namesrvAddr = "";
  private readonly cleanup = new Cleanup();
  private readonly logger: Logger;

  constructor() {
    this.cleanup.defer(() => rmSync(this.home, { recursive: true, force: true }));
    this.logger = createLogger("test", "info", (line) => void this.lines.push(line));
  }

  /** Starts one more name server; brokers started afterwards know all of them. */
  async startNamesrv(listenPort = 0, properties = ""): Promise<string> {
    const text = `listenPort=${listenPort}\nbindAddress=127.0.0.1\nkvConfigPath=${this.home}/kv.json\n${properties}`;
    const entries = parseProperties(text, "test");
    const { config } = loadNamesrvConfig([{ name: "test", entries }], {
      home: this.home,
      rocketmqHome: "",
    });
    const running = await startNamesrv({ config, vfs: nodeVfs, logger: this.logger });
    this.cleanup.use(running);
    const address = `127.0.0.1:${running.port}`;
    this.namesrvAddr = this.namesrvAddr === "" ? address : `${this.namesrvAddr};${address}`;
    return address;
  }

  /** @param properties win over the defaults; the store's folder is named after broker name and id */
  async startBroker(properties: Properties = {}): Promise<RunningBroker> {
    const listenPort = properties["listenPort"] ?? (await freeBrokerPort());
    const brokerName = String(properties["brokerName"] ?? "broker-a");
    const folder = `${brokerName}-${String(properties["brokerId"] ?? 0)}`;
    const defaults = { ...DEFAULTS, brokerName, storePathRootDir: join(this.home, folder) };
    const own = { namesrvAddr: this.namesrvAddr, listenPort };
    const config = configOf({ ...defaults, ...own, ...properties }, this.home);
    const running = await startBroker({ config, vfs: nodeVfs, logger: this.logger });
    this.cleanup.use(running);
    return running;
  }

  /** Connects to a broker, or to any `host:port`. */
  async peer(target: RunningBroker | string): Promise<BrokerPeer> {
    const address = typeof target === "string" ? target : target.brokerAddr;
    const peer = await BrokerPeer.connect(address);
    this.cleanup.defer(() => peer[Symbol.dispose]());
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup[Symbol.asyncDispose]();
  }
}
