/**
 * The property string (store-and-ha 2.4): `name 0x01 value 0x02`, repeated; 4.9.8 leaves the last 0x02 out, readers take both.
 */

export const NAME_END = 0x01;
export const VALUE_END = 0x02;

/** Property names with a meaning of their own (remoting-protocol 4.1.6). */
export const PROPERTY = {
  KEYS: "KEYS",
  TAGS: "TAGS",
  WAIT: "WAIT",
  DELAY: "DELAY",
  UNIQ_KEY: "UNIQ_KEY",
  TRAN_MSG: "TRAN_MSG",
  PGROUP: "PGROUP",
  REAL_TOPIC: "REAL_TOPIC",
  REAL_QID: "REAL_QID",
  RETRY_TOPIC: "RETRY_TOPIC",
  ORIGIN_MESSAGE_ID: "ORIGIN_MESSAGE_ID",
  RECONSUME_TIME: "RECONSUME_TIME",
  MAX_RECONSUME_TIMES: "MAX_RECONSUME_TIMES",
  TRANSACTION_CHECK_TIMES: "TRANSACTION_CHECK_TIMES",
  TRAN_PREPARED_QUEUE_OFFSET: "TRAN_PREPARED_QUEUE_OFFSET",
  CHECK_IMMUNITY_TIME_IN_SECONDS: "CHECK_IMMUNITY_TIME_IN_SECONDS",
  CLUSTER: "CLUSTER",
  CORRELATION_ID: "CORRELATION_ID",
  REPLY_TO_CLIENT: "REPLY_TO_CLIENT",
  TTL: "TTL",
  MSG_TYPE: "MSG_TYPE",
  PUSH_REPLY_TIME: "PUSH_REPLY_TIME",
  MSG_REGION: "MSG_REGION",
  TRACE_ON: "TRACE_ON",
} as const;

/**
 * @param text a property string of either version
 * @returns names and values in order; items without a name or a value are dropped, a repeated name: the last one wins
 */
export function decodeProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const item of text.split("\u0002")) {
    const split = item.indexOf("\u0001");
    if (split > 0 && split < item.length - 1)
      properties.set(item.slice(0, split), item.slice(split + 1));
  }
  return properties;
}

/** @returns the string 4.9.0 writes, with a 0x02 behind the last pair */
export function encodeProperties(properties: ReadonlyMap<string, string>): string {
  let text = "";
  for (const [name, value] of properties) text += `${name}\u0001${value}\u0002`;
  return text;
}
