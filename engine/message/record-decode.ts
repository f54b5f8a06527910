import { isUtf8 } from "node:buffer";
import { bodyCrc } from "./crc32.ts";
import { readLong } from "./record-encode.ts";
import {
  AT,
  bodyLengthAt,
  bornHostBytes,
  MESSAGE_MAGIC,
  RECORD_BYTES_MIN,
  storeHostBytes,
  storeTimestampAt,
} from "./record-layout.ts";

/** A record's parts as positions and numbers; strings are made only when asked for. */
export interface RecordView {
  readonly totalSize: number;
  readonly queueId: number;
  readonly flag: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly sysFlag: number;
  readonly bornTimestamp: number;
  readonly storeTimestamp: number;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  readonly topicStart: number;
  readonly topicEnd: number;
  readonly propertiesStart: number;
  readonly propertiesEnd: number;
}

/** Why bytes are no valid record. */
export type RecordFault = "short" | "magic" | "size" | "offset" | "topic" | "crc";

/** Where the variable parts of the record being read begin and end. */
const parts = { bodyStart: 0, bodyEnd: 0, topicEnd: 0, propertiesEnd: 0 };

let viewedBytes: Buffer = Buffer.alloc(0);
let lastView = new DataView(viewedBytes.buffer, viewedBytes.byteOffset, 0);

/** Dispatch reads many records of one buffer: its view is made once. */
function readView(bytes: Buffer): DataView {
  if (bytes !== viewedBytes) {
    viewedBytes = bytes;
    lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  return lastView;
}

/** Do the lengths of the variable parts add up to the total? Fills `parts`: dispatch reads every message, so nothing is made here. */
function readParts(view: DataView, at: number, totalSize: number, sysFlag: number): boolean {
  const bodyStart = at + bodyLengthAt(sysFlag) + 4;
  const end = at + totalSize;
  if (bodyStart + 3 > end) return false;
  const bodyEnd = bodyStart + view.getInt32(bodyStart - 4);
  if (bodyEnd < bodyStart || bodyEnd + 3 > end) return false;
  const topicEnd = bodyEnd + 1 + view.getUint8(bodyEnd);
  if (topicEnd + 2 > end) return false;
  parts.bodyStart = bodyStart;
  parts.bodyEnd = bodyEnd;
  parts.topicEnd = topicEnd;
  parts.propertiesEnd = topicEnd + 2 + view.getInt16(topicEnd);
  return parts.propertiesEnd >= topicEnd + 2 && parts.propertiesEnd === end;
}

/**
 * Takes a record apart without judging its offsets or CRC.
 * @param bytes buffer that holds it
 * @param at position of its first byte
 * @param limit one past the last byte that may be read
 * @returns the parts, or why it is none
 */
export function readRecord(bytes: Buffer, at: number, limit: number): RecordView | RecordFault {
  if (at + RECORD_BYTES_MIN > limit) return "short";
  const view = readView(bytes);
  if (view.getInt32(at + AT.magic) !== MESSAGE_MAGIC) return "magic";
  const totalSize = view.getInt32(at + AT.totalSize);
  if (totalSize < RECORD_BYTES_MIN) return "size";
  if (at + totalSize > limit) return "short";
  const sysFlag = view.getInt32(at + AT.sysFlag);
  if (!readParts(view, at, totalSize, sysFlag)) return "size";
  const bodyLength = at + bodyLengthAt(sysFlag);
  return {
    totalSize,
    queueId: view.getInt32(at + AT.queueId),
    flag: view.getInt32(at + AT.flag),
    queueOffset: readLong(view, at + AT.queueOffset),
    physicalOffset: readLong(view, at + AT.physicalOffset),
    sysFlag,
    bornTimestamp: readLong(view, at + AT.bornTimestamp),
    storeTimestamp: readLong(view, at + storeTimestampAt(sysFlag)),
    reconsumeTimes: view.getInt32(bodyLength - 12),
    preparedTransactionOffset: readLong(view, bodyLength - 8),
    bodyStart: parts.bodyStart,
    bodyEnd: parts.bodyEnd,
    topicStart: parts.bodyEnd + 1,
    topicEnd: parts.topicEnd,
    propertiesStart: parts.topicEnd + 2,
    propertiesEnd: parts.propertiesEnd,
  };
}

/**
 * The full check of S-11 (without the sidecar sums).
 * @param position absolute offset the record stands at
 * @returns the parts, or the first fault found
 */
export function checkRecord(
  bytes: Buffer,
  at: number,
  limit: number,
  position: number,
): RecordView | RecordFault {
  const record = readRecord(bytes, at, limit);
  if (typeof record === "string") return record;
  if (record.physicalOffset !== position) return "offset";
  const topic = bytes.subarray(record.topicStart, record.topicEnd);
  if (topic.length === 0 || topic.length > 127 || !isUtf8(topic)) return "topic";
  const crc = bytes.readInt32BE(at + AT.bodyCrc);
  return crc === bodyCrc(bytes, record.bodyStart, record.bodyEnd) ? record : "crc";
}

/**
 * Where a record's property string begins; it ends with the record. Makes no object: filters look at every message.
 * @param bytes holds the whole record
 * @param at its first byte
 * @param size its length
 * @returns position of the first byte, or -1 when the lengths inside do not fit
 */
export function propertiesStartOf(bytes: Buffer, at: number, size: number): number {
  const end = at + size;
  const bodyLength = at + bodyLengthAt(bytes.readInt32BE(at + AT.sysFlag));
  if (bodyLength + 4 > end) return -1;
  const topicLength = bodyLength + 4 + bytes.readInt32BE(bodyLength);
  if (topicLength < bodyLength + 4 || topicLength >= end) return -1;
  const start = topicLength + 1 + bytes.readUInt8(topicLength) + 2;
  return start <= end && bytes.readInt16BE(start - 2) === end - start ? start : -1;
}

/** @returns `address` bytes and port of the born host */
export function bornHostOf(
  bytes: Buffer,
  at: number,
  sysFlag: number,
): { address: Buffer; port: number } {
  const length = bornHostBytes(sysFlag) - 4;
  const start = at + AT.bornHost;
  return {
    address: Buffer.from(bytes.subarray(start, start + length)),
    port: bytes.readInt32BE(start + length),
  };
}

/** @returns `address` bytes and port of the store host */
export function storeHostOf(
  bytes: Buffer,
  at: number,
  sysFlag: number,
): { address: Buffer; port: number } {
  const length = storeHostBytes(sysFlag) - 4;
  const start = at + storeTimestampAt(sysFlag) + 8;
  return {
    address: Buffer.from(bytes.subarray(start, start + length)),
    port: bytes.readInt32BE(start + length),
  };
}
