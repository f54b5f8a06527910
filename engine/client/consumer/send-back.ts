/** Has the broker deliver a message again later (remoting-protocol 4.6). */
import type { Logger } from "../../base/logger.ts";
import { encodeProperties, PROPERTY } from "../../message/properties.ts";
import { SYS_FLAG } from "../../message/record-layout.ts";
import { CONSUMER_SEND_MSG_BACK } from "../../remoting/commands/clients.ts";
import type { SharedClient } from "../mq-client.ts";
import { INNER_PRODUCER_GROUP, retryTopic } from "../names.ts";
import type { PreparedMessage } from "../producer/prepare-message.ts";
import { MessageProducer } from "../producer/send.ts";
import { invokeOk } from "../request.ts";
import type { StoredMessage } from "./received-message.ts";

const TIMEOUT_MS = 5_000;
const FIRST_RETRY_LEVEL = 3;

/**
 * The message as a normal one for the group's retry topic: for a broker that cannot be asked to do it.
 * @param maxReconsumeTimes of the group; from there on the broker stores it as dead letter
 */
export function retryMessage(
  message: StoredMessage,
  group: string,
  maxReconsumeTimes: number,
): PreparedMessage {
  const properties = new Map(message.properties);
  const origin = properties.get(PROPERTY.ORIGIN_MESSAGE_ID) ?? message.msgId;
  properties.set(PROPERTY.ORIGIN_MESSAGE_ID, origin);
  properties.set(PROPERTY.RETRY_TOPIC, message.topic);
  properties.set(PROPERTY.DELAY, String(FIRST_RETRY_LEVEL + message.reconsumeTimes));
  properties.delete(PROPERTY.TRAN_MSG);
  properties.delete(PROPERTY.RECONSUME_TIME);
  properties.delete(PROPERTY.MAX_RECONSUME_TIMES);
  return {
    topic: retryTopic(group),
    body: message.storedBody,
    properties: encodeProperties(properties),
    sysFlag: message.sysFlag & SYS_FLAG.COMPRESSED,
    flag: message.flag,
    msgId: message.msgId,
    isBatch: false,
    reconsumeTimes: message.reconsumeTimes + 1,
    maxReconsumeTimes,
  };
}

/** One consumer's way back. */
export class SendBack {
  private readonly client: SharedClient;
  private readonly group: string;
  private readonly maxReconsumeTimes: number;
  private readonly logger: Logger;
  private readonly producer: MessageProducer;

  constructor(client: SharedClient, group: string, maxReconsumeTimes: number) {
    this.client = client;
    this.group = group;
    this.maxReconsumeTimes = maxReconsumeTimes;
    this.logger = client.logger;
    this.producer = new MessageProducer(client, { group: INNER_PRODUCER_GROUP });
  }

  /**
   * @param delayLevel as CONSUMER_SEND_MSG_BACK has it: -1 dead letter, 0 the broker decides, else the level
   * @returns false when neither the broker nor a plain send took it
   */
  readonly send = async (message: StoredMessage, delayLevel: number): Promise<boolean> => {
    try {
      await this.ask(message, delayLevel);
      return true;
    } catch (error) {
      this.log("a send-back failed, sending the message itself", message, error);
    }
    return this.sendItself(message);
  };

  /**
   * Sends the message to the group's retry topic as a normal one. Ordered consumers give up so: the broker, told how often it was tried and how
   * often it may be, makes it a dead letter.
   * @returns false when no broker took it
   */
  readonly sendItself = async (message: StoredMessage): Promise<boolean> => {
    try {
      const again = retryMessage(message, this.group, this.maxReconsumeTimes);
      await this.producer.deliver(again, {});
      return true;
    } catch (error) {
      this.log("a message could not be sent back", message, error);
      return false;
    }
  };

  private async ask(message: StoredMessage, delayLevel: number): Promise<void> {
    await invokeOk(this.client.remoting, {
      address: this.client.routes.brokers.requireMaster(message.brokerName),
      spec: CONSUMER_SEND_MSG_BACK,
      header: {
        offset: message.commitLogOffset,
        group: this.group,
        delayLevel,
        originMsgId: message.msgId,
        originTopic: message.topic,
        unitMode: false,
        maxReconsumeTimes: this.maxReconsumeTimes,
      },
      timeoutMs: TIMEOUT_MS,
    });
  }

  private log(text: string, message: StoredMessage, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.logger.warn(text, { group: this.group, msgId: message.msgId, reason });
  }
}
