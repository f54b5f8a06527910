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
import type { InternalMessage, InternalPutResult } from "./broker-context.ts";
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
  const isDue = message.isDue === true;
  const destination = isDue ? meant : rewriteDelayed(meant, message.sysFlag, levelMax);
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

function refused(status: PutStatus): InternalPutResult {
  return { status, physicalOffset: 0, queueOffset: 0 };
}

/**
 * @param wiring store, configuration and the address stamped into records
 * @returns a function that appends one message and resolves when it is as safe as the broker's mode promises, or was refused
 */
export function createPutInternal(
  wiring: PutInternalWiring,
): (message: InternalMessage) => Promise<InternalPutResult> {
  const { store } = wiring;
  const whenSafe = (result: AppendResult): Promise<InternalPutResult> =>
    new Promise((resolve) => {
      const { endOffset, physicalOffset, queueOffset } = result;
      const complete = (status: PutStatus): void =>
        resolve({ status, physicalOffset, queueOffset });
      store.whenSafe({ endOffset, complete }, true);
    });
  return async (message) => {
    const input = inputOf(message, wiring);
    if (input.propertiesEnd > PROPERTIES_BYTES_MAX) return refused(PUT_STATUS.MESSAGE_ILLEGAL);
    const result = store.append(input);
    return result.status === PUT_STATUS.OK ? whenSafe(result) : refused(result.status);
  };
}
