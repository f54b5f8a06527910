/** Apache's unmodified name server and broker 4.9.0 with our clients on them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { createAdminClient, type AdminClient } from "../../engine/admin/index.ts";
import {
  createClient,
  createPushConsumer,
  type MqClient,
  type PushConsumer,
  type PushConsumerOptions,
  type ReceivedMessage,
} from "../../engine/client/index.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { freeBrokerPort } from "../helpers/engine-process.ts";
import { startApacheBroker, startApacheNamesrv } from "./apache.ts";

/** How long to wait for what Apache's servers do in their own time. */
export const POLL = { timeout: 30_000, interval: 100 };
const VERSION = "4.9.0";

/** See the file's head. */
export class ApacheStage implements AsyncDisposable {
  readonly home: string;
  readonly namesrvAddr: string;
  readonly brokerAddr: string;
  readonly admin: AdminClient;
  private readonly cleanup: Cleanup;

  private constructor(
    cleanup: Cleanup,
    at: { readonly home: string; readonly namesrvAddr: string; readonly brokerAddr: string },
  ) {
    this.cleanup = cleanup;
    this.home = at.home;
    this.namesrvAddr = at.namesrvAddr;
    this.brokerAddr = at.brokerAddr;
    this.admin = createAdminClient({ namesrvAddrs: [at.namesrvAddr] });
    cleanup.defer(() => this.admin.close());
  }

  /** @param own properties of the broker besides small files and short delay levels */
  static async start(own: Readonly<Record<string, string | number>> = {}): Promise<ApacheStage> {
    const cleanup = new Cleanup();
    const home = mkdtempSync(join(tmpdir(), "lab-apache-stage-"));
    cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
    const namesrvPort = await freeBrokerPort();
    const namesrvAddr = `127.0.0.1:${namesrvPort}`;
    const namesrv = { listenPort: namesrvPort };
    cleanup.use(
      await startApacheNamesrv({
        version: VERSION,
        home: join(home, "namesrv"),
        properties: namesrv,
      }),
    );
    const listenPort = await freeBrokerPort();
    const properties = {
      brokerName: "broker-a",
      brokerClusterName: "DefaultCluster",
      namesrvAddr,
      listenPort,
      mappedFileSizeCommitLog: 16 * 1_048_576,
      maxHashSlotNum: 1_000,
      maxIndexNum: 4_000,
      messageDelayLevel: "1s 1s 1s 1s 1s",
      ...own,
    };
    const broker = { version: VERSION, home: join(home, "broker"), properties } as const;
    cleanup.use(await startApacheBroker(broker));
    const brokerAddr = `127.0.0.1:${listenPort}`;
    const stage = new ApacheStage(cleanup, { home, namesrvAddr, brokerAddr });
    await vi.waitUntil(
      async () => (await stage.admin.clusterInfo(namesrvAddr)).brokers.length === 1,
      POLL,
    );
    return stage;
  }

  /** A client of ours, closed with the stage. */
  client(): MqClient {
    const made = createClient({ namesrvAddrs: [this.namesrvAddr], trustRefusals: false });
    this.cleanup.defer(() => made.close());
    return made;
  }

  /** A topic with 4 queues, unless said otherwise, that the name server routes. */
  async topic(topic: string, queues = 4): Promise<string> {
    const spec = { topic, readQueueNums: queues, writeQueueNums: queues };
    await this.admin.createTopic(spec, { brokerAddr: this.brokerAddr });
    const isRouted = async (): Promise<boolean> =>
      (await this.admin.route(this.namesrvAddr, topic)) !== null;
    await vi.waitUntil(isRouted, POLL);
    return topic;
  }

  /** A push consumer of ours from the first message on, on a client of its own; keeps all it gets. */
  async consume(
    topic: string,
    options: Partial<PushConsumerOptions> = {},
  ): Promise<{ readonly got: ReceivedMessage[]; readonly consumer: PushConsumer }> {
    const got: ReceivedMessage[] = [];
    const { listener } = options;
    const consumer = createPushConsumer(this.client(), {
      group: `CG_${topic}`,
      consumeFrom: "first",
      ...options,
      listener: (messages) => {
        got.push(...messages);
        return listener?.(messages) ?? "success";
      },
    });
    consumer.subscribe(topic);
    await consumer.start();
    return { got, consumer };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup[Symbol.asyncDispose]();
  }
}
