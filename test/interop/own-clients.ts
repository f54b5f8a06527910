/** Our own clients on one cluster, whoever's servers those are; all are closed together. */
import { vi } from "vitest";
import { createAdminClient, type AdminClient } from "../../engine/admin/index.ts";
import {
  createClient,
  createPushConsumer,
  type ClientOptions,
  type MqClient,
  type PushConsumer,
  type PushConsumerOptions,
  type ReceivedMessage,
} from "../../engine/client/index.ts";
import type { Cleanup } from "../helpers/cleanup.ts";

/** How long to wait for what servers do in their own time. */
export const POLL = { timeout: 30_000, interval: 100 };

/** See the file's head. */
export class OwnClients {
  readonly namesrv: string;
  readonly broker: string;
  readonly admin: AdminClient;
  protected readonly cleanup: Cleanup;
  private readonly options: Partial<ClientOptions>;

  /** @param at addresses of name server and broker @param cleanup closes them all @param options of every client */
  constructor(
    at: { readonly namesrv: string; readonly broker: string },
    cleanup: Cleanup,
    options: Partial<ClientOptions> = {},
  ) {
    this.namesrv = at.namesrv;
    this.broker = at.broker;
    this.cleanup = cleanup;
    this.options = options;
    this.admin = createAdminClient({ namesrvAddrs: [at.namesrv] });
    cleanup.defer(() => this.admin.close());
  }

  client(): MqClient {
    const made = createClient({ namesrvAddrs: [this.namesrv], ...this.options });
    this.cleanup.defer(() => made.close());
    return made;
  }

  /** Creates a topic and waits until it is routed: a consumer that starts before waits 30 s for its route. */
  async topic(topic: string, queues = 4): Promise<string> {
    const spec = { topic, readQueueNums: queues, writeQueueNums: queues };
    await this.admin.createTopic(spec, { brokerAddr: this.broker });
    const isRouted = async (): Promise<boolean> =>
      (await this.admin.route(this.namesrv, topic)) !== null;
    await vi.waitUntil(isRouted, POLL);
    return topic;
  }

  /** A started consumer on a client of its own, from the first message on. @returns with what it got, growing */
  async startConsumer(
    topic: string,
    options: Partial<PushConsumerOptions> = {},
  ): Promise<{ readonly got: ReceivedMessage[]; readonly consumer: PushConsumer }> {
    const got: ReceivedMessage[] = [];
    const consumer = createPushConsumer(this.client(), {
      group: `CG_${topic.replaceAll("%", "")}`,
      consumeFrom: "first",
      ...options,
      listener: (messages) => {
        got.push(...messages);
        return options.listener?.(messages) ?? "success";
      },
    });
    consumer.subscribe(topic);
    await consumer.start();
    return { got, consumer };
  }
}
