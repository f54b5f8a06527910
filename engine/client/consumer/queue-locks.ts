/** Locks of queues for ordered consumption, held on the masters for this client (remoting-protocol 4.5, 5.1). */
import {
  decodeLockAnswer,
  encodeLockBatch,
  type MessageQueueBody,
} from "../../remoting/bodies/message-queue.ts";
import { LOCK_BATCH_MQ, UNLOCK_BATCH_MQ } from "../../remoting/commands/clients.ts";
import type { MessageQueue } from "../client-api.ts";
import { queueKey } from "../message-queues.ts";
import type { SharedClient } from "../mq-client.ts";
import { invokeOk } from "../request.ts";

/** A master that does not say so at once has not granted it. */
const TIMEOUT_MS = 1_000;

/** One group's locks; who holds what is remembered in the process queues. */
export class GroupLocks {
  private readonly client: SharedClient;
  private readonly group: string;

  constructor(client: SharedClient, group: string) {
    this.client = client;
    this.group = group;
  }

  /**
   * Takes locks, or renews them; one request to each master.
   * @returns by key whether the queue is ours now; queues of a master that did not answer are left out
   */
  async lock(queues: readonly MessageQueue[]): Promise<ReadonlyMap<string, boolean>> {
    const answers = new Map<string, boolean>();
    await this.eachBroker(queues, async (address, own) => {
      const body = this.body(own);
      const spec = LOCK_BATCH_MQ;
      const call = { address, spec, header: {}, body, timeoutMs: TIMEOUT_MS };
      const answer = await invokeOk(this.client.remoting, call);
      const granted = answer.body === null ? [] : decodeLockAnswer(answer.body);
      const keys = new Set(granted.map(queueKey));
      for (const queue of own) answers.set(queueKey(queue), keys.has(queueKey(queue)));
    });
    return answers;
  }

  /** Gives locks back; what cannot be told now runs out by itself after 60 s. */
  async unlock(queues: readonly MessageQueue[]): Promise<void> {
    await this.eachBroker(queues, (address, own) =>
      this.client.remoting.sendOneway(address, {
        code: UNLOCK_BATCH_MQ.code,
        body: this.body(own),
      }),
    );
  }

  private async eachBroker(
    queues: readonly MessageQueue[],
    tell: (address: string, own: readonly MessageQueue[]) => Promise<void>,
  ): Promise<void> {
    const { client, group } = this;
    const names = new Set(queues.map((queue) => queue.brokerName));
    const told = [...names].map(async (brokerName) => {
      const own = queues.filter((queue) => queue.brokerName === brokerName);
      try {
        await tell(client.routes.brokers.requireMaster(brokerName), own);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        client.logger.warn("queue locks are unknown", { group, brokerName, reason });
      }
    });
    await Promise.all(told);
  }

  private body(queues: readonly MessageQueueBody[]): Buffer {
    const { group, client } = this;
    return encodeLockBatch({ clientId: client.clientId, consumerGroup: group, queues });
  }
}
