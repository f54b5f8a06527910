/**
 * A half message and everything that is made of it (store-and-ha 6.2 … 6.5). Pure.
 *
 * A half message that is checked moves to the end of its queue as a copy. The copy says where the first one stood (TRAN_PREPARED_QUEUE_OFFSET),
 * so that an answer to any of them ends the transaction once.
 */
import { PROPERTY } from "../../message/properties.ts";
import { SYS_FLAG } from "../../message/record-layout.ts";
import type { InternalMessage } from "../broker-context.ts";
import type { Destination } from "../delay-rewrite.ts";
import { CHECK_MAX_TOPIC, HALF_TOPIC, isClosedToClients, topicNameProblem } from "../names.ts";
import { copyOf, storedTopic, type StoredMessage } from "../stored-message.ts";

/** Half messages stand in one queue. */
export const HALF_QUEUE = 0;

/**
 * @param message as its producer meant it
 * @returns the same for the half topic. What only the broker may say of a half message is overwritten or taken off
 */
export function parkHalf(message: Destination): Destination {
  const properties = new Map(message.properties);
  properties.set(PROPERTY.REAL_TOPIC, message.topic);
  properties.set(PROPERTY.REAL_QID, String(message.queueId));
  properties.delete(PROPERTY.TRANSACTION_CHECK_TIMES);
  properties.delete(PROPERTY.TRAN_PREPARED_QUEUE_OFFSET);
  return { topic: HALF_TOPIC, queueId: HALF_QUEUE, properties };
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A half message as it stands in its queue. */
export class HalfMessage {
  readonly stored: StoredMessage;

  /** @param stored any record */
  private constructor(stored: StoredMessage) {
    this.stored = stored;
  }

  /** @returns null when the record stands in another topic */
  static of(stored: StoredMessage | null): HalfMessage | null {
    return stored !== null && storedTopic(stored) === HALF_TOPIC ? new HalfMessage(stored) : null;
  }

  /** Its place in the half queue. */
  get offset(): number {
    return this.stored.record.queueOffset;
  }

  get physicalOffset(): number {
    return this.stored.record.physicalOffset;
  }

  get group(): string | undefined {
    return this.stored.properties.get(PROPERTY.PGROUP);
  }

  /** What clients call the transaction. */
  get uniqueKey(): string | undefined {
    return this.stored.properties.get(PROPERTY.UNIQ_KEY);
  }

  /** Where the first copy of this message stood: the transaction's name inside the broker. */
  get root(): number {
    const root = count(this.stored.properties.get(PROPERTY.TRAN_PREPARED_QUEUE_OFFSET));
    return root === undefined || root > this.offset ? this.offset : root;
  }

  get checkTimes(): number {
    return count(this.stored.properties.get(PROPERTY.TRANSACTION_CHECK_TIMES)) ?? 0;
  }

  /** Ms after its birth in which it must not be checked; undefined when its producer did not say. */
  get immunityMs(): number | undefined {
    const seconds = count(this.stored.properties.get(PROPERTY.CHECK_IMMUNITY_TIME_IN_SECONDS));
    return seconds === undefined ? undefined : seconds * 1_000;
  }

  /** Born by its producer's clock, but never later than it came here. */
  get bornAtMs(): number {
    return Math.min(this.stored.record.bornTimestamp, this.stored.record.storeTimestamp);
  }

  get storedAtMs(): number {
    return this.stored.record.storeTimestamp;
  }

  /** Where it is meant for; null when that is no place a message can go to. */
  get destination(): { readonly topic: string; readonly queueId: number } | null {
    const { properties } = this.stored;
    const topic = properties.get(PROPERTY.REAL_TOPIC) ?? "";
    const queueId = count(properties.get(PROPERTY.REAL_QID)) ?? -1;
    const isPlace = topicNameProblem(topic) === null && !isClosedToClients(topic) && queueId >= 0;
    return isPlace ? { topic, queueId } : null;
  }

  /** The message consumers get; a delay level counts from now on. Null without a destination. */
  committed(): InternalMessage | null {
    const to = this.destination;
    if (to === null) return null;
    const copy = copyOf(this.stored, { ...to, properties: this.stored.properties });
    const sysFlag = (copy.sysFlag & ~SYS_FLAG.TRANSACTION_MASK) | SYS_FLAG.TRANSACTION_COMMIT;
    return { ...copy, sysFlag, preparedTransactionOffset: this.physicalOffset };
  }

  /** A copy for the end of the half queue; `checkTimes` checks were made of it then. */
  again(checkTimes: number): InternalMessage {
    return halfCopy(this.stored, checkTimes, this.root);
  }

  /** The copy that is kept when nobody could tell its end. */
  givenUp(): InternalMessage {
    const to = { topic: CHECK_MAX_TOPIC, queueId: 0, properties: this.stored.properties };
    return { ...copyOf(this.stored, to), ignoresDelay: true };
  }
}

/**
 * @param stored a half message, or one that was given up
 * @param checkTimes checks made of it so far
 * @param root where its first copy stood, undefined when this is the first
 */
export function halfCopy(
  stored: StoredMessage,
  checkTimes: number,
  root?: number,
): InternalMessage {
  const properties = new Map(stored.properties);
  properties.set(PROPERTY.TRANSACTION_CHECK_TIMES, String(checkTimes));
  if (root === undefined) properties.delete(PROPERTY.TRAN_PREPARED_QUEUE_OFFSET);
  else properties.set(PROPERTY.TRAN_PREPARED_QUEUE_OFFSET, String(root));
  const to = { topic: HALF_TOPIC, queueId: HALF_QUEUE, properties };
  // Its delay level counts from the commit on: in the half queue it does not wait.
  return { ...copyOf(stored, to), ignoresDelay: true };
}
