/** The clients of a run: one a producer, each with connections of its own, as so many applications would have. */
import {
  createClient,
  createProducer,
  type MessageQueue,
  type MqClient,
  type Producer,
} from "../../engine/client/index.ts";
import type { Ledger } from "./ledger.ts";
import type { BodyFactory } from "./message-body.ts";
import { OnewayBrake } from "./oneway-brake.ts";
import { outcomeOfError, type SendOutcome } from "./outcome.ts";
import { SEND_TIMEOUT_MS, type Workload } from "./workload.ts";

/** What the producers need. */
export interface ProducerOptions {
  readonly namesrvAddrs: readonly string[];
  readonly workload: Workload;
  readonly bodies: BodyFactory;
  /** Null when nobody reads the messages back. */
  readonly ledger: Ledger | null;
}

/** See the file's head. */
export class Producers {
  private readonly options: ProducerOptions;
  private readonly clients: MqClient[] = [];
  private readonly producers: Producer[] = [];
  private readonly brakes: OnewayBrake[] = [];
  private readonly sequences: number[] = [];
  /** Error texts by how often they came, for the report. */
  readonly errors = new Map<string, number>();

  constructor(options: ProducerOptions) {
    this.options = options;
  }

  /** Connects all of them. */
  async start(): Promise<void> {
    const { namesrvAddrs, workload, bodies } = this.options;
    for (let index = 0; index < workload.producers; index += 1) {
      const client = createClient({
        namesrvAddrs,
        instanceName: `bench-producer-${index}-${bodies.runId}`,
      });
      this.clients.push(client);
      // No retries: each attempt is one outcome, so a stall is not hidden behind a late success.
      this.producers.push(
        createProducer(client, {
          group: "LAB_BENCH_PRODUCER",
          retries: 0,
          sendTimeoutMs: SEND_TIMEOUT_MS,
          compressOverBytes: Number.MAX_SAFE_INTEGER,
        }),
      );
      this.brakes.push(new OnewayBrake(client, workload.topic, workload.window));
      this.sequences.push(0);
    }
    await Promise.all(this.producers.map((producer) => producer.start()));
  }

  /** @returns every queue the topic can be written to now, by routes asked for anew */
  async queues(): Promise<readonly MessageQueue[]> {
    await this.clients[0]?.route(this.options.workload.topic, { refresh: true });
    return (await this.producers[0]?.publishQueues(this.options.workload.topic)) ?? [];
  }

  /** Sends one message of a lane; lanes are dealt out to the producers in turn. */
  async send(lane: number): Promise<SendOutcome> {
    return this.sendFrom(lane % this.producers.length);
  }

  /**
   * Sends one message to one queue, outside the run's balance: is the topic there and writable?
   * @throws EngineError as Producer.send
   */
  async probe(queue: MessageQueue): Promise<void> {
    const body = Buffer.from("probe of a bench topic");
    await this.producers[0]?.send({ topic: queue.topic, body }, { queue });
  }

  private async sendFrom(index: number): Promise<SendOutcome> {
    const { workload, bodies, ledger } = this.options;
    const sequence = this.sequences[index] ?? 0;
    this.sequences[index] = sequence + 1;
    const message = { topic: workload.topic, body: bodies.make(index, sequence) };
    const outcome = await this.attempt(index, message);
    ledger?.sent(index, sequence, outcome);
    return outcome;
  }

  private async attempt(
    index: number,
    message: { readonly topic: string; readonly body: Buffer },
  ): Promise<SendOutcome> {
    const producer = this.producers[index];
    if (producer === undefined) return "FAILED";
    try {
      if (this.options.workload.mode === "oneway") {
        await producer.sendOneway(message);
        await this.brakes[index]?.pass();
        return "HANDED";
      }
      return (await producer.send(message)).status;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.errors.set(text, (this.errors.get(text) ?? 0) + 1);
      return outcomeOfError(error);
    }
  }

  /** Closes all clients. */
  async close(): Promise<void> {
    await Promise.allSettled(this.clients.map((client) => client.close()));
  }
}
