/** One message to a master and back: the proof that it stores, replicates as its role promises, and hands out. */
import { randomUUID } from "node:crypto";
import type { AdminClient } from "../../../engine/admin/index.ts";
import {
  pullMessages,
  type MessageQueue,
  type MqClient,
  type Producer,
} from "../../../engine/client/index.ts";

/** The lab's own topic: one queue on every master. */
export const PROBE_TOPIC = "LAB_PROBE";
/** A group every broker of 4.9 has from the start. */
const PROBE_GROUP = "TOOLS_CONSUMER";

const REQUEST_TIMEOUT_MS = 2_000;

/** A master to be proven. */
export interface ProbeTarget {
  readonly node: string;
  readonly brokerName: string;
  readonly address: string;
  /** False when no slave of it runs: then it cannot acknowledge in full, and is ready all the same. */
  readonly hasSlave: boolean;
}

/** What one round needs. */
export interface ProbeTools {
  readonly client: MqClient;
  readonly producer: Producer;
  readonly admin: AdminClient;
}

function queueAt(target: ProbeTarget): MessageQueue {
  return { topic: PROBE_TOPIC, brokerName: target.brokerName, queueId: 0 };
}

async function pulledBack(
  client: MqClient,
  target: ProbeTarget,
  position: { readonly offset: number; readonly token: string },
): Promise<boolean> {
  const request = {
    group: PROBE_GROUP,
    queue: queueAt(target),
    offset: position.offset,
    messagesMax: 1,
    suspendMs: 0,
    expression: "*",
  };
  const result = await pullMessages(client.remoting, target.address, request, REQUEST_TIMEOUT_MS);
  return result.messages.some((message) => message.body.toString() === position.token);
}

async function ensureTopic(tools: ProbeTools, target: ProbeTarget): Promise<boolean> {
  const isRouted = async (): Promise<boolean> => {
    const route = await tools.client.route(PROBE_TOPIC, { refresh: true });
    return route?.queues.some((queue) => queue.brokerName === target.brokerName) ?? false;
  };
  if (await isRouted()) return true;
  await tools.admin.createTopic(
    { topic: PROBE_TOPIC, readQueueNums: 1, writeQueueNums: 1 },
    { brokerAddr: target.address },
  );
  return isRouted();
}

/** One master's probe: where it stands between two attempts. */
export class MasterProbe {
  private readonly tools: ProbeTools;
  private readonly target: ProbeTarget;
  private readonly token = randomUUID();
  private stored: number | undefined;
  private hasTopic = false;

  /**
   * @param tools clients of the lab
   * @param target the master
   */
  constructor(tools: ProbeTools, target: ProbeTarget) {
    this.tools = tools;
    this.target = target;
  }

  /**
   * Goes one step further.
   * @returns null when the message came back, else what is missing
   */
  async attempt(): Promise<string | null> {
    const { node } = this.target;
    this.hasTopic ||= await ensureTopic(this.tools, this.target);
    if (!this.hasTopic) return `the route of ${PROBE_TOPIC} at ${node}`;
    if (this.stored === undefined) {
      const refusal = await this.send();
      if (refusal !== null) return refusal;
    }
    const position = { offset: this.stored ?? 0, token: this.token };
    const isBack = await pulledBack(this.tools.client, this.target, position);
    return isBack ? null : `the probe message from ${node} to come back`;
  }

  private async send(): Promise<string | null> {
    const queue = queueAt(this.target);
    const result = await this.tools.producer.send(
      { topic: PROBE_TOPIC, body: Buffer.from(this.token) },
      { queue, timeoutMs: REQUEST_TIMEOUT_MS },
    );
    // A weak acknowledgement is no success: its slave is not there yet, or its disk is late.
    const isAlone = result.status === "SLAVE_NOT_AVAILABLE" && !this.target.hasSlave;
    if (result.status !== "SEND_OK" && !isAlone)
      return `${this.target.node} to acknowledge in full (${result.status})`;
    this.stored = result.queueOffset;
    return null;
  }
}
