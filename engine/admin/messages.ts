/** Single messages: by offset id, by key or unique id (remoting-protocol 4.9). */
import { decodeMessages, type ReceivedMessage, type TopicRoute } from "../client/index.ts";
import { addressText, parseOffsetMessageId } from "../message/message-id.ts";
import { QUERY_MESSAGE, VIEW_MESSAGE_BY_ID } from "../remoting/commands/administration.ts";
import { formatAddress } from "../remoting/remote-address.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { MessageQuery } from "./admin-api.ts";
import { allOrReport, wasRefusedWith, type AdminRequests } from "./requests.ts";

const MESSAGES_MAX = 32;

/** @returns null when the broker has no message there */
export async function viewMessage(
  requests: AdminRequests,
  offsetMsgId: string,
  brokerAddr: string | undefined,
): Promise<ReceivedMessage | null> {
  const { address, port, physicalOffset } = parseOffsetMessageId(offsetMsgId);
  const from = brokerAddr ?? formatAddress(addressText(address), port);
  try {
    const body = await requests.askBody(from, VIEW_MESSAGE_BY_ID, { offset: physicalOffset });
    return decodeMessages(body, from)[0] ?? null;
  } catch (error) {
    if (wasRefusedWith(error, RESPONSE_CODE.SYSTEM_ERROR)) return null;
    throw error;
  }
}

/** The index goes by hash: what carries another key is left out here. */
function carries(message: ReceivedMessage, key: string): boolean {
  return message.keys.includes(key) || message.msgId === key;
}

async function queryOne(
  requests: AdminRequests,
  from: { readonly brokerName: string; readonly address: string },
  query: MessageQuery,
): Promise<ReceivedMessage[]> {
  const header = {
    topic: query.topic,
    key: query.key,
    maxNum: query.messagesMax ?? MESSAGES_MAX,
    beginTimestamp: query.beginTimestampMs ?? 0,
    endTimestamp: query.endTimestampMs ?? Number.MAX_SAFE_INTEGER,
    uniqueKeyQuery: false,
  };
  try {
    const body = await requests.askBody(from.address, QUERY_MESSAGE, header);
    return decodeMessages(body, from.brokerName).filter((message) => carries(message, query.key));
  } catch (error) {
    if (wasRefusedWith(error, RESPONSE_CODE.QUERY_NOT_FOUND)) return [];
    throw error;
  }
}

/** @param route of the query's topic @returns matches of all broker names, oldest first */
export async function queryMessages(
  requests: AdminRequests,
  route: TopicRoute,
  query: MessageQuery,
): Promise<readonly ReceivedMessage[]> {
  const queries = route.brokers.flatMap(({ brokerName, brokerAddrs }) => {
    const address = brokerAddrs.get(0) ?? brokerAddrs.values().next().value;
    return address === undefined ? [] : [queryOne(requests, { brokerName, address }, query)];
  });
  const found = (await allOrReport(queries)).flat();
  return found.toSorted((a, b) => a.storeTimestamp - b.storeTimestamp);
}
