/** Reads the half queue and the op queue in order (store-and-ha 6.2, 6.4). */
import { internTopic, type TopicName } from "../../message/topic-name.ts";
import { PROPERTY } from "../../message/properties.ts";
import type { MessageStore } from "../../store/store-api.ts";
import type { InternalMessage } from "../broker-context.ts";
import { HALF_TOPIC, OP_TOPIC } from "../names.ts";
import { readStoredMessage } from "../stored-message.ts";
import { HALF_QUEUE, HalfMessage } from "./half-message.ts";

export const halfTopic = internTopic(HALF_TOPIC);
export const opTopic = internTopic(OP_TOPIC);

/** Tag of an op message: its half message is done. */
const OP_TAG = "d";

/** An entry of the half queue; null when there is no half message to be read at that place. */
export interface HalfEntry {
  readonly at: number;
  readonly half: HalfMessage | null;
}

function entriesOf(store: MessageStore, topic: TopicName, from: number, max: number) {
  return store.consumeQueueEntries(topic, HALF_QUEUE, from, max);
}

/** @returns entries of the half queue from `from`, at most `max`; empty at its end */
export function readHalves(store: MessageStore, from: number, max: number): readonly HalfEntry[] {
  return entriesOf(store, halfTopic, from, max).map(({ queueOffset, physicalOffset }) => {
    const half = HalfMessage.of(readStoredMessage(store, physicalOffset));
    return { at: queueOffset, half: half?.offset === queueOffset ? half : null };
  });
}

/** An entry of the op queue and the place in the half queue it speaks of; -1 when it speaks of none. */
export interface OpEntry {
  readonly at: number;
  readonly halfOffset: number;
}

/** @returns entries of the op queue from `from`, at most `max`; empty at its end */
export function readOps(store: MessageStore, from: number, max: number): readonly OpEntry[] {
  return entriesOf(store, opTopic, from, max).map(({ queueOffset, physicalOffset }) => {
    const stored = readStoredMessage(store, physicalOffset);
    const isOp = stored?.properties.get(PROPERTY.TAGS) === OP_TAG;
    const { bytes, record } = stored ?? { bytes: Buffer.alloc(0), record: null };
    const text = isOp ? bytes.toString("latin1", record?.bodyStart, record?.bodyEnd) : "";
    return { at: queueOffset, halfOffset: /^\d{1,15}$/.test(text) ? Number(text) : -1 };
  });
}

/**
 * @param halfOffset place in the half queue that is done
 * @param from whose broker it is and when
 * @returns the op message
 */
export function opMessage(
  halfOffset: number,
  from: Pick<InternalMessage, "bornHost" | "bornTimestamp">,
): InternalMessage {
  return {
    ...from,
    topic: OP_TOPIC,
    queueId: HALF_QUEUE,
    flag: 0,
    sysFlag: 0,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(String(halfOffset), "latin1"),
    properties: new Map([[PROPERTY.TAGS, OP_TAG]]),
  };
}
