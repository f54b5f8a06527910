/** A stored record as a consumer sees it; strings, maps and inflated bodies are made when asked for, once. */
import { inflateSync } from "node:zlib";
import { EngineError } from "../../base/engine-error.ts";
import { offsetMessageId } from "../../message/message-id.ts";
import { decodeProperties, PROPERTY } from "../../message/properties.ts";
import { readRecord, storeHostOf, type RecordView } from "../../message/record-decode.ts";
import { SYS_FLAG } from "../../message/record-layout.ts";
import type { ReceivedMessage } from "../client-api.ts";
import { isRetryTopic } from "../names.ts";

/** No body of 4 MiB deflates from more than this without being an attack. */
const INFLATED_BYTES_MAX = 64 * 1_024 * 1_024;

/** Implementation of ReceivedMessage over the bytes of a pull's answer, which it keeps. */
export class StoredMessage implements ReceivedMessage {
  readonly brokerName: string;
  /** Failed local retries count here too, as in Java. */
  reconsumeTimes: number;
  private readonly bytes: Buffer;
  private readonly at: number;
  private readonly record: RecordView;
  private inflated: Buffer | undefined;
  private parsed: ReadonlyMap<string, string> | undefined;

  /** @param bytes owned by the caller's answer @param at of the record's first byte */
  constructor(bytes: Buffer, at: number, record: RecordView, brokerName: string) {
    this.bytes = bytes;
    this.at = at;
    this.record = record;
    this.brokerName = brokerName;
    this.reconsumeTimes = record.reconsumeTimes;
  }

  /** Topic the record stands in: for a retried message the group's retry topic. */
  get storedTopic(): string {
    return this.bytes.toString("utf8", this.record.topicStart, this.record.topicEnd);
  }

  get topic(): string {
    const stored = this.storedTopic;
    if (!isRetryTopic(stored)) return stored;
    return this.properties.get(PROPERTY.RETRY_TOPIC) ?? stored;
  }

  get queueId(): number {
    return this.record.queueId;
  }

  get queueOffset(): number {
    return this.record.queueOffset;
  }

  get commitLogOffset(): number {
    return this.record.physicalOffset;
  }

  /** Bytes of the whole record. */
  get storedBytes(): number {
    return this.record.totalSize;
  }

  get msgId(): string {
    return this.properties.get(PROPERTY.UNIQ_KEY) ?? this.offsetMsgId;
  }

  get offsetMsgId(): string {
    const host = storeHostOf(this.bytes, this.at, this.record.sysFlag);
    return offsetMessageId(host, this.record.physicalOffset);
  }

  get body(): Buffer {
    const stored = this.storedBody;
    if ((this.record.sysFlag & SYS_FLAG.COMPRESSED) === 0) return stored;
    this.inflated ??= inflated(stored);
    return this.inflated;
  }

  /** The body as it is stored, compressed or not. */
  get storedBody(): Buffer {
    return this.bytes.subarray(this.record.bodyStart, this.record.bodyEnd);
  }

  get tags(): string | undefined {
    return this.properties.get(PROPERTY.TAGS);
  }

  get keys(): readonly string[] {
    const keys = this.properties.get(PROPERTY.KEYS);
    return keys === undefined ? [] : keys.split(" ").filter((key) => key !== "");
  }

  get properties(): ReadonlyMap<string, string> {
    const { propertiesStart, propertiesEnd } = this.record;
    this.parsed ??= decodeProperties(this.bytes.toString("utf8", propertiesStart, propertiesEnd));
    return this.parsed;
  }

  get bornTimestamp(): number {
    return this.record.bornTimestamp;
  }

  get storeTimestamp(): number {
    return this.record.storeTimestamp;
  }

  get flag(): number {
    return this.record.flag;
  }

  get sysFlag(): number {
    return this.record.sysFlag;
  }
}

/** A body that does not inflate is handed over as it is, as the Go client does (4.1.7). */
export function inflated(stored: Buffer): Buffer {
  try {
    return inflateSync(stored, { maxOutputLength: INFLATED_BYTES_MAX });
  } catch {
    return stored;
  }
}

/**
 * @param body records back to back (4.2.6)
 * @param brokerName whom they came from
 * @throws EngineError MESSAGE_INVALID when a record cannot be read: passing over it would skip messages for good
 */
export function decodeMessages(body: Buffer, brokerName: string): StoredMessage[] {
  const messages: StoredMessage[] = [];
  let at = 0;
  while (at < body.length) {
    const record = readRecord(body, at, body.length);
    if (typeof record === "string") {
      throw new EngineError("MESSAGE_INVALID", {
        message: `broker ${brokerName} answered a record that cannot be read (${record}) at byte ${at}`,
      });
    }
    messages.push(new StoredMessage(body, at, record, brokerName));
    at += record.totalSize;
  }
  return messages;
}
