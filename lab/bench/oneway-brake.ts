/**
 * One-way sends have no answers, so nothing would keep a sender from filling its own memory faster than a broker reads. After every
 * `window` of them a producer asks each master something cheap over the same connection: the answer means that all before it was read.
 */
import type { MqClient } from "../../engine/client/index.ts";

const GET_MAX_OFFSET = 30;
const MASTER_ID = 0;
const TIMEOUT_MS = 3_000;

/** One a producer. */
export class OnewayBrake {
  private readonly client: MqClient;
  private readonly topic: string;
  private readonly window: number;
  private sent = 0;
  private asking: Promise<void> | null = null;

  /**
   * @param client of the producer
   * @param topic it sends to
   * @param window sends between two questions
   */
  constructor(client: MqClient, topic: string, window: number) {
    this.client = client;
    this.topic = topic;
    this.window = window;
  }

  /** Called after each send; resolves when the next one may go. */
  async pass(): Promise<void> {
    this.sent += 1;
    if (this.asking === null && this.sent % this.window === 0) {
      this.asking = this.ask().finally(() => {
        this.asking = null;
      });
    }
    if (this.asking !== null) await this.asking;
  }

  /** A master that does not answer holds nobody up longer than the time-out: its sends are lost, as one-way sends may be. */
  private async ask(): Promise<void> {
    const route = await this.client.route(this.topic).catch(() => null);
    const masters = (route?.brokers ?? []).flatMap(
      (broker) => broker.brokerAddrs.get(MASTER_ID) ?? [],
    );
    const extFields = new Map([
      ["topic", this.topic],
      ["queueId", "0"],
    ]);
    const request = { code: GET_MAX_OFFSET, extFields };
    await Promise.allSettled(
      masters.map((address) => this.client.remoting.invoke(address, request, TIMEOUT_MS)),
    );
  }
}
