/**
 * Messages the broker writes itself: retried, dead, delayed ones that came due, events. They wait for the broker's own mode (A-07; 4.9 sets
 * WAIT=false on all of them and can lose a message whose source was already counted as done).
 */
import { encodeProperties, PROPERTY } from "../message/properties.ts";
import { internTopic } from "../message/topic-name.ts";
import {
  PUT_STATUS,
  type AppendResult,
  type HostBytes,
  type MessageInput,
  type MessageStore,
  type PutStatus,
} from "../store/store-api.ts";
import type { BrokerConfig } from "./broker-config.ts";
import type { AppendedMessage, InternalMessage, InternalPutResult } from "./broker-context.ts";
import { delayLevelCount, rewriteDelayed } from "./delay-rewrite.ts";
import { PROPERTIES_BYTES_MAX } from "./property-bytes.ts";

/** What writing needs of the broker. */
export interface PutInternalWiring {
  readonly store: MessageStore;
  readonly config: BrokerConfig;
  readonly storeHost: HostBytes;
}

function inputOf(message: InternalMessage, wiring: PutInternalWiring): MessageInput {
  const own = new Map(message.properties);
  own.set(PROPERTY.CLUSTER, wiring.config.brokerClusterName);
  const meant = { topic: message.topic, queueId: message.queueId, properties: own };
  const levelMax = delayLevelCount(wiring.config.messageDelayLevel);
  const ignoresDelay = message.ignoresDelay === true;
  const destination = ignoresDelay ? meant : rewriteDelayed(meant, message.sysFlag, levelMax);
  const properties = Buffer.from(encodeProperties(destination.properties), "utf8");
  return {
    topic: internTopic(destination.topic),
    queueId: destination.queueId,
    flag: message.flag,
    sysFlag: message.sysFlag,
    bornTimestamp: message.bornTimestamp,
    bornHost: message.bornHost,
    storeHost: wiring.storeHost,
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: message.preparedTransactionOffset,
    body: message.body,
    bodyStart: 0,
    bodyEnd: message.body.length,
    properties,
    propertiesStart: 0,
    propertiesEnd: properties.length,
  };
}

function refused(status: PutStatus): AppendedMessage {
  const result = { status, physicalOffset: 0, queueOffset: 0 };
  return { isAppended: false, safe: Promise.resolve(result) };
}

/**
 * @param wiring store, configuration and the address stamped into records
 * @returns a function that appends one message at once and promises when it is as safe as the broker's mode promises. Messages appended in one
 *   turn of the event loop leave in one write
 */
export function createAppendInternal(
  wiring: PutInternalWiring,
): (message: InternalMessage) => AppendedMessage {
  const { store } = wiring;
  const outcome = (result: AppendResult, status: PutStatus): InternalPutResult => {
    const { physicalOffset, queueOffset, endOffset } = result;
    if (status === PUT_STATUS.FLUSH_DISK_TIMEOUT) {
      // A disk without room took the bytes back: what is not in the log was not put, and its source must not count as done.
      const stored = store.recordAt(physicalOffset)?.bytes.length ?? 0;
      if (stored !== endOffset - physicalOffset)
        return { status: PUT_STATUS.SERVICE_NOT_AVAILABLE, physicalOffset: 0, queueOffset: 0 };
    }
    return { status, physicalOffset, queueOffset };
  };
  return (message) => {
    const input = inputOf(message, wiring);
    if (input.propertiesEnd > PROPERTIES_BYTES_MAX) return refused(PUT_STATUS.MESSAGE_ILLEGAL);
    const result = store.append(input);
    if (result.status !== PUT_STATUS.OK) return refused(result.status);
    const safe = new Promise<InternalPutResult>((resolve) => {
      const complete = (status: PutStatus): void => resolve(outcome(result, status));
      store.whenSafe({ endOffset: result.endOffset, complete }, true);
    });
    return { isAppended: true, safe };
  };
}

/** @returns true when the message is in the log, whatever its mode's promise came to */
export function isStored(result: InternalPutResult): boolean {
  return result.status <= PUT_STATUS.FLUSH_SLAVE_TIMEOUT;
}
