/** Consumers that recognise the run's messages and write them into its ledger. */
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "../../engine/base/engine-error.ts";
import {
  createClient,
  createPushConsumer,
  type MqClient,
  type PushConsumer,
} from "../../engine/client/index.ts";
import type { Ledger } from "./ledger.ts";
import type { BodyFactory } from "./message-body.ts";

/** What the consumers need. */
export interface ReceiveOptions {
  readonly namesrvAddrs: readonly string[];
  readonly topic: string;
  readonly consumers: number;
  readonly bodies: BodyFactory;
  readonly ledger: Ledger;
  /** Queues of the topic, all masters together. */
  readonly queueCount: number;
  readonly signal: AbortSignal;
}

const ASSIGN_DEADLINE_MS = 30_000;
const DRAIN_DEADLINE_MS = 30_000;
/** No message for this long means there is none left. */
const QUIET_MS = 3_000;
const POLL_MS = 50;
/** Members join one after the other; each change must spread faster than a user's patience. */
const REBALANCE_MS = 1_000;

/** A group of consumers of its own for one run. */
export class Receivers {
  private readonly options: ReceiveOptions;
  private readonly clients: MqClient[] = [];
  private readonly consumers: PushConsumer[] = [];
  private lastArrivalMs = performance.now();

  constructor(options: ReceiveOptions) {
    this.options = options;
  }

  /**
   * Starts all consumers and waits until every queue has its owner.
   * @throws EngineError BENCH_TOPIC_NOT_READY
   */
  async start(): Promise<void> {
    const { options } = this;
    // A fresh group starts at the present, so that old messages of the topic are not read again.
    const timestampMs = Date.now();
    for (let index = 0; index < options.consumers; index += 1) {
      const client = createClient({
        namesrvAddrs: options.namesrvAddrs,
        instanceName: `bench-consumer-${index}-${options.bodies.runId}`,
      });
      this.clients.push(client);
      const consumer = createPushConsumer(client, {
        group: `LAB_BENCH_${options.bodies.runId}`,
        consumeFrom: { timestampMs },
        rebalanceMs: REBALANCE_MS,
        listener: (messages) => this.accept(messages),
      });
      consumer.subscribe(options.topic);
      this.consumers.push(consumer);
    }
    await Promise.all(this.consumers.map((consumer) => consumer.start()));
    await this.waitForAssignment();
  }

  private accept(messages: readonly { readonly body: Buffer }[]): "success" {
    for (const { body } of messages) {
      const id = this.options.bodies.read(body);
      if (id !== null) this.options.ledger.arrived(id.producer, id.sequence);
    }
    this.lastArrivalMs = performance.now();
    return "success";
  }

  private async waitForAssignment(): Promise<void> {
    const { queueCount, signal, topic } = this.options;
    const deadline = performance.now() + ASSIGN_DEADLINE_MS;
    for (;;) {
      const owned = this.consumers.flatMap((consumer) => consumer.assignment());
      const queues = new Set(
        owned.filter((q) => q.topic === topic).map((q) => `${q.brokerName}/${q.queueId}`),
      );
      if (queues.size >= queueCount) return;
      if (performance.now() >= deadline) {
        throw new EngineError("BENCH_TOPIC_NOT_READY", {
          message: `${queues.size} of ${queueCount} queues of ${topic} have a consumer after ${ASSIGN_DEADLINE_MS / 1_000} s`,
          hint: "see `lab status`; all masters must run before a bench with consumers",
        });
      }
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  /**
   * Waits until `expected` different messages are here, or nothing more comes.
   * @returns true unless messages were still coming when the time was up
   */
  async drain(expected: number): Promise<boolean> {
    const deadline = performance.now() + DRAIN_DEADLINE_MS;
    this.lastArrivalMs = Math.max(this.lastArrivalMs, performance.now());
    while (this.options.ledger.received < expected) {
      if (performance.now() - this.lastArrivalMs > QUIET_MS) return true;
      if (performance.now() >= deadline) return false;
      await sleep(POLL_MS);
    }
    return true;
  }

  /** Ends every consumer. */
  async close(): Promise<void> {
    await Promise.allSettled(this.clients.map((client) => client.close()));
  }
}
