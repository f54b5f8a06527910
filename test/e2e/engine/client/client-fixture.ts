/** Producers and consumers of one test on the engine's own name server and brokers, closed before these stop. */
import {
  createClient,
  createProducer,
  createPushConsumer,
  createTransactionProducer,
  type ClientOptions,
  type MessageSelector,
  type MqClient,
  type Producer,
  type ProducerOptions,
  type PushConsumer,
  type PushConsumerOptions,
  type ReceivedMessage,
  type TransactionProducer,
  type TransactionProducerOptions,
} from "../../../../engine/client/index.ts";
import {
  createAdminClient,
  type AdminClient,
  type TopicSpec,
} from "../../../../engine/admin/index.ts";
import { Cleanup } from "../../../helpers/cleanup.ts";
import { EngineFixture, until } from "../engine-fixture.ts";

/** A started consumer and what it got. */
export interface TestConsumer extends AsyncDisposable {
  readonly consumer: PushConsumer;
  readonly got: ReceivedMessage[];
  /** Bodies as text, sorted. */
  bodies(): string[];
}

export type TestConsumerOptions = Partial<PushConsumerOptions> & {
  readonly topic: string;
  readonly selector?: string | MessageSelector;
  readonly client?: Partial<ClientOptions>;
};

export class ClientFixture implements AsyncDisposable {
  readonly engine: EngineFixture;
  private readonly cleanup = new Cleanup();

  private constructor(engine: EngineFixture) {
    this.engine = engine;
    this.cleanup.use(engine);
  }

  /** One name server; brokers are the test's business. */
  static async start(namesrvProperties = ""): Promise<ClientFixture> {
    const fixture = new ClientFixture(new EngineFixture());
    await fixture.engine.startNamesrv(0, namesrvProperties);
    return fixture;
  }

  client(options: Partial<ClientOptions> = {}): MqClient {
    const made = createClient({ namesrvAddrs: this.engine.namesrvAddr.split(";"), ...options });
    this.cleanup.defer(() => made.close());
    return made;
  }

  admin(): AdminClient {
    const admin = createAdminClient({ namesrvAddrs: this.engine.namesrvAddr.split(";") });
    this.cleanup.defer(() => admin.close());
    return admin;
  }

  /** Creates a topic and waits until every name server routes it from that many brokers: registration runs behind the answer. */
  async createTopic(
    spec: TopicSpec,
    target: { readonly cluster: string } | { readonly brokerAddr: string },
    brokers = 1,
  ): Promise<void> {
    const admin = this.admin();
    await admin.createTopic(spec, target);
    await until(`${spec.topic} is routed`, async () => {
      const routes = await Promise.all(
        this.engine.namesrvAddr.split(";").map((address) => admin.route(address, spec.topic)),
      );
      return routes.every((route) => route?.queues.length === brokers);
    });
  }

  async producer(options: Partial<ProducerOptions> = {}): Promise<Producer> {
    const producer = createProducer(this.client(), { group: "PG", ...options });
    await producer.start();
    return producer;
  }

  /** A transaction producer on a client of its own; `stop` makes its brokers forget it. */
  async transactionProducer(
    options: Partial<TransactionProducerOptions> & Pick<TransactionProducerOptions, "check">,
  ): Promise<{ readonly producer: TransactionProducer; readonly stop: () => Promise<void> }> {
    const client = this.client();
    const producer = createTransactionProducer(client, { group: "PG_trans", ...options });
    await producer.start();
    return { producer, stop: () => client.close() };
  }

  /** A consumer on a client of its own, which keeps all it gets. */
  async consumer(options: TestConsumerOptions): Promise<TestConsumer> {
    const got: ReceivedMessage[] = [];
    const client = this.client(options.client);
    const { listener } = options;
    const consumer = createPushConsumer(client, {
      group: "CG",
      consumeFrom: "first",
      rebalanceMs: 2_000,
      ...options,
      listener: (messages) => {
        got.push(...messages);
        return listener === undefined ? "success" : listener(messages);
      },
    });
    consumer.subscribe(options.topic, options.selector);
    await consumer.start();
    return {
      consumer,
      got,
      bodies: () => got.map((message) => message.body.toString()).toSorted(),
      [Symbol.asyncDispose]: () => client.close(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup[Symbol.asyncDispose]();
  }
}

/** Sends messages with the bodies `m000`, `m001` …, many at once. @returns the bodies, sorted */
export async function sendNumbered(
  producer: Producer,
  topic: string,
  range: { readonly from?: number; readonly count: number },
): Promise<string[]> {
  const from = range.from ?? 0;
  const bodies = Array.from(
    { length: range.count },
    (_, i) => `m${String(from + i).padStart(4, "0")}`,
  );
  await Promise.all(bodies.map((body) => producer.send({ topic, body: Buffer.from(body) })));
  return bodies;
}
