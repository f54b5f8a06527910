/** From a user's message to what goes on the wire: checks, properties, compression (remoting-protocol 4.1.1, 4.1.3, 4.1.6, 4.1.7). */
import { deflateSync } from "node:zlib";
import { EngineError } from "../../base/engine-error.ts";
import { BATCH_MEMBERS_MAX, encodeBatch } from "../../message/batch.ts";
import type { UniqueIdGenerator } from "../../message/message-id.ts";
import { PROPERTIES_BYTES_MAX, SYS_FLAG } from "../../message/record-layout.ts";
import type { Message } from "../client-api.ts";
import { checkTopic, isRetryTopic } from "../names.ts";

/** Largest body of one message or one batch (L-03). */
export const BODY_BYTES_MAX = 4_194_304;
const DELAY_LEVEL_MAX = 18;
/** Level of Java's client. */
const DEFLATE_LEVEL = 5;
const UTF8_BYTES_PER_UNIT_MAX = 3;

/** Names that mean something to brokers or clients: user properties must not carry them (4.1.6). */
const RESERVED: ReadonlySet<string> = new Set([
  "KEYS",
  "TAGS",
  "WAIT",
  "DELAY",
  "UNIQ_KEY",
  "TRAN_MSG",
  "PGROUP",
  "REAL_TOPIC",
  "REAL_QID",
  "RETRY_TOPIC",
  "ORIGIN_MESSAGE_ID",
  "RECONSUME_TIME",
  "MAX_RECONSUME_TIMES",
  "TRANSACTION_CHECK_TIMES",
  "CHECK_IMMUNITY_TIME_IN_SECONDS",
  "TRAN_PREPARED_QUEUE_OFFSET",
  "CLUSTER",
  "MIN_OFFSET",
  "MAX_OFFSET",
  "BUYER_ID",
  "TRANSFER_FLAG",
  "CORRECTION_FLAG",
  "MQ2_FLAG",
  "MSG_REGION",
  "TRACE_ON",
  "INSTANCE_ID",
  "CORRELATION_ID",
  "REPLY_TO_CLIENT",
  "TTL",
  "MSG_TYPE",
  "ARRIVE_TIME",
  "PUSH_REPLY_TIME",
]);

/** A message ready to be sent, to any queue of its topic. */
export interface PreparedMessage {
  readonly topic: string;
  readonly body: Buffer;
  /** Property string. */
  readonly properties: string;
  readonly sysFlag: number;
  readonly flag: number;
  /** UNIQ_KEY, of the first for a batch. */
  readonly msgId: string;
  readonly isBatch: boolean;
  readonly reconsumeTimes: number;
  readonly maxReconsumeTimes: number | undefined;
  /** A reply goes to who asked, by a code of its own (4.8). */
  readonly isReply?: boolean;
  /** An attempt whose outcome is unknown is not repeated: the message must not be there twice. */
  readonly onlyOnce?: boolean;
}

/** What a message of the client's own making says besides what its user says. */
export interface MessageMarks {
  /** Reserved names and their values. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly sysFlag?: number;
  readonly isReply?: boolean;
  readonly onlyOnce?: boolean;
}

const NO_MARKS: MessageMarks = {};

/** What preparing needs of its producer. */
export interface PrepareSettings {
  readonly ids: UniqueIdGenerator;
  readonly compressOverBytes: number;
}

function refuse(message: string): never {
  throw new EngineError("MESSAGE_INVALID", { message });
}

/** One `name 0x01 value 0x02` of the property string. */
function pair(name: string, value: string): string {
  if (value.includes("\u0001") || value.includes("\u0002"))
    refuse(`the value of property ${name} holds U+0001 or U+0002`);
  return `${name}\u0001${value}\u0002`;
}

function userPairs(properties: Readonly<Record<string, string>>): string {
  let text = "";
  for (const [name, value] of Object.entries(properties)) {
    if (RESERVED.has(name)) refuse(`the property name ${name} is reserved`);
    if (name === "" || name.includes("\u0001") || name.includes("\u0002") || value === "")
      refuse(`the property "${name.slice(0, 60)}" has no valid name or no value`);
    text += pair(name, value);
  }
  return text;
}

function delayPair(level: number): string {
  const isValid = Number.isInteger(level) && level >= 1 && level <= DELAY_LEVEL_MAX;
  if (!isValid) refuse(`delay level ${level} is not in 1..${DELAY_LEVEL_MAX}`);
  return pair("DELAY", String(level));
}

function propertyString(
  message: Message,
  msgId: string,
  own?: Readonly<Record<string, string>>,
): string {
  let text = `UNIQ_KEY\u0001${msgId}\u0002`;
  text += message.waitStoreMsgOk === false ? "WAIT\u0001false\u0002" : "WAIT\u0001true\u0002";
  if (message.keys !== undefined && message.keys.length > 0)
    text += pair("KEYS", message.keys.join(" "));
  if (message.tags !== undefined && message.tags !== "") text += pair("TAGS", message.tags);
  if (message.delayLevel !== undefined) text += delayPair(message.delayLevel);
  if (own !== undefined) for (const [name, value] of Object.entries(own)) text += pair(name, value);
  if (message.properties !== undefined) text += userPairs(message.properties);
  checkPropertiesLength(text);
  return text;
}

function checkPropertiesLength(text: string): void {
  if (text.length * UTF8_BYTES_PER_UNIT_MAX <= PROPERTIES_BYTES_MAX) return;
  const bytes = Buffer.byteLength(text, "utf8");
  if (bytes > PROPERTIES_BYTES_MAX)
    refuse(`the properties take ${bytes} bytes, more than ${PROPERTIES_BYTES_MAX}`);
}

function checkBody(body: Buffer): void {
  if (body.length === 0) refuse("the body is empty");
  if (body.length > BODY_BYTES_MAX)
    refuse(`the body has ${body.length} bytes, more than ${BODY_BYTES_MAX}`);
}

/**
 * @param message as the user gave it; its body is used without a copy, so it must not change until the send is over
 * @param marks what the client says of it
 * @throws EngineError MESSAGE_INVALID
 */
export function prepareMessage(
  message: Message,
  settings: PrepareSettings,
  marks: MessageMarks = NO_MARKS,
): PreparedMessage {
  checkTopic(message.topic);
  checkBody(message.body);
  const msgId = settings.ids.next(Date.now());
  const compress = message.body.length >= settings.compressOverBytes;
  return {
    topic: message.topic,
    body: compress ? deflateSync(message.body, { level: DEFLATE_LEVEL }) : message.body,
    properties: propertyString(message, msgId, marks.properties),
    sysFlag: (compress ? SYS_FLAG.COMPRESSED : 0) | (marks.sysFlag ?? 0),
    flag: message.flag ?? 0,
    msgId,
    isBatch: false,
    reconsumeTimes: 0,
    maxReconsumeTimes: undefined,
    isReply: marks.isReply === true,
    onlyOnce: marks.onlyOnce === true,
  };
}

function checkBatch(messages: readonly Message[]): Message {
  const [first] = messages;
  if (first === undefined) refuse("a batch needs at least one message");
  if (messages.length > BATCH_MEMBERS_MAX)
    refuse(`a batch takes at most ${BATCH_MEMBERS_MAX} messages, not ${messages.length}`);
  checkTopic(first.topic);
  if (isRetryTopic(first.topic)) refuse("a batch cannot be sent to a retry topic");
  for (const message of messages) {
    if (message.topic !== first.topic) refuse("all messages of a batch must have one topic");
    if (message.delayLevel !== undefined) refuse("a batch cannot be delayed");
    if (message.waitStoreMsgOk !== first.waitStoreMsgOk)
      refuse("all messages of a batch must wait for the store alike");
    checkBody(message.body);
  }
  return first;
}

/**
 * @param messages of one topic, sent as one append: all or none; never compressed
 * @throws EngineError MESSAGE_INVALID
 */
export function prepareBatch(
  messages: readonly Message[],
  settings: PrepareSettings,
): PreparedMessage {
  const first = checkBatch(messages);
  const ids = messages.map(() => settings.ids.next(Date.now()));
  const entries = messages.map((message, i) => ({
    flag: message.flag ?? 0,
    body: message.body,
    properties: Buffer.from(propertyString(message, ids[i] ?? ""), "utf8"),
  }));
  const body = encodeBatch(entries);
  checkBody(body);
  return {
    topic: first.topic,
    body,
    properties: pair("WAIT", String(first.waitStoreMsgOk !== false)),
    sysFlag: 0,
    flag: 0,
    msgId: ids[0] ?? "",
    isBatch: true,
    reconsumeTimes: 0,
    maxReconsumeTimes: undefined,
  };
}
