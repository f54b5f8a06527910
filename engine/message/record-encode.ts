import { bodyCrc } from "./crc32.ts";
import { AT, bodyLengthAt, MESSAGE_MAGIC, storeTimestampAt } from "./record-layout.ts";

/** An address as a record keeps it. */
export interface RecordHost {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** Everything a record says; buffers are copied. The sysFlag's IPv6 bits must fit the hosts. */
export interface RecordInput {
  readonly queueId: number;
  readonly flag: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly sysFlag: number;
  readonly bornTimestamp: number;
  readonly bornHost: RecordHost;
  readonly storeTimestamp: number;
  readonly storeHost: RecordHost;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
  readonly body: Buffer;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  readonly topic: Buffer;
  readonly properties: Buffer;
  readonly propertiesStart: number;
  readonly propertiesEnd: number;
}

const TWO_32 = 4_294_967_296;

/** Writes a non-negative 64-bit integer as two words (engine-performance 3.2). */
export function writeLong(view: DataView, at: number, value: number): void {
  view.setUint32(at, (value / TWO_32) >>> 0);
  view.setUint32(at + 4, value >>> 0);
}

/** Reads a 64-bit integer that fits 2^53; negative ones included. */
export function readLong(view: DataView, at: number): number {
  return view.getInt32(at) * TWO_32 + view.getUint32(at + 4);
}

function writeHost(target: Buffer, view: DataView, at: number, host: RecordHost): void {
  for (let i = 0; i < host.address.length; i += 1) target[at + i] = host.address[i] ?? 0;
  view.setInt32(at + host.address.length, host.port);
}

/**
 * Writes one record (store-and-ha 2.1).
 * @param target slab with room for the whole record
 * @param view over the same memory
 * @param at position of the record's first byte
 * @param input what to write
 * @returns one past the last byte
 */
export function encodeRecord(
  target: Buffer,
  view: DataView,
  at: number,
  input: RecordInput,
): number {
  const { sysFlag } = input;
  view.setInt32(at + AT.magic, MESSAGE_MAGIC);
  view.setInt32(at + AT.bodyCrc, bodyCrc(input.body, input.bodyStart, input.bodyEnd));
  view.setInt32(at + AT.queueId, input.queueId);
  view.setInt32(at + AT.flag, input.flag);
  writeLong(view, at + AT.queueOffset, input.queueOffset);
  writeLong(view, at + AT.physicalOffset, input.physicalOffset);
  view.setInt32(at + AT.sysFlag, sysFlag);
  writeLong(view, at + AT.bornTimestamp, input.bornTimestamp);
  writeHost(target, view, at + AT.bornHost, input.bornHost);
  const storeTime = at + storeTimestampAt(sysFlag);
  writeLong(view, storeTime, input.storeTimestamp);
  writeHost(target, view, storeTime + 8, input.storeHost);
  const bodyLength = at + bodyLengthAt(sysFlag);
  view.setInt32(bodyLength - 12, input.reconsumeTimes);
  writeLong(view, bodyLength - 8, input.preparedTransactionOffset);
  const end = writeTail(target, view, bodyLength, input);
  view.setInt32(at + AT.totalSize, end - at);
  return end;
}

function writeTail(target: Buffer, view: DataView, at: number, input: RecordInput): number {
  view.setInt32(at, input.bodyEnd - input.bodyStart);
  let to = at + 4;
  to += input.body.copy(target, to, input.bodyStart, input.bodyEnd);
  target[to] = input.topic.length;
  to += 1;
  target.set(input.topic, to);
  to += input.topic.length;
  view.setInt16(to, input.propertiesEnd - input.propertiesStart);
  to += 2;
  return to + input.properties.copy(target, to, input.propertiesStart, input.propertiesEnd);
}
