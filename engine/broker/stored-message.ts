/** A record read back from the log and taken apart, and a copy of it to be written elsewhere: retries, due and transaction messages. */
import { decodeProperties } from "../message/properties.ts";
import { bornHostOf, readRecord, type RecordView } from "../message/record-decode.ts";
import type { MessageStore } from "../store/store-api.ts";
import type { InternalMessage } from "./broker-context.ts";

/** A record with its properties. */
export interface StoredMessage {
  readonly bytes: Buffer;
  readonly record: RecordView;
  readonly properties: ReadonlyMap<string, string>;
}

/**
 * @param store of this broker
 * @param physicalOffset first byte of the record
 * @returns the record that starts exactly there, or null
 */
export function readStoredMessage(
  store: Pick<MessageStore, "recordAt">,
  physicalOffset: number,
): StoredMessage | null {
  const stored = physicalOffset < 0 ? null : store.recordAt(physicalOffset);
  if (stored === null) return null;
  const { bytes } = stored;
  const record = readRecord(bytes, 0, bytes.length);
  if (typeof record === "string") return null;
  const text = bytes.toString("utf8", record.propertiesStart, record.propertiesEnd);
  return { bytes, record, properties: decodeProperties(text) };
}

/** @returns the topic the record stands in */
export function storedTopic({ bytes, record }: StoredMessage): string {
  return bytes.toString("utf8", record.topicStart, record.topicEnd);
}

/**
 * @param stored what is copied: body, flags, times, born host, retries
 * @param to where the copy goes, and which properties it has there
 */
export function copyOf(
  stored: StoredMessage,
  to: Pick<InternalMessage, "topic" | "queueId" | "properties">,
): InternalMessage {
  const { bytes, record } = stored;
  return {
    ...to,
    flag: record.flag,
    sysFlag: record.sysFlag,
    bornTimestamp: record.bornTimestamp,
    bornHost: bornHostOf(bytes, 0, record.sysFlag),
    reconsumeTimes: record.reconsumeTimes,
    preparedTransactionOffset: 0,
    body: bytes.subarray(record.bodyStart, record.bodyEnd),
  };
}
