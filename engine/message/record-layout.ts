/**
 * One commit log record, big endian (store-and-ha 2.1). H1 and H2 are 8 bytes for IPv4 hosts, 20 for IPv6.
 *
 *   0           4       8          12        16     20            28             36        40
 *   ├───────────┼───────┼──────────┼─────────┼──────┼─────────────┼──────────────┼─────────┤
 *   │ totalSize │ magic │ body CRC │ queueId │ flag │ queueOffset │ physicalOff. │ sysFlag │
 *
 *   40          48        48+H1            56+H1       56+H1+H2        60+H1+H2        68+H1+H2
 *   ├───────────┼─────────┼────────────────┼───────────┼───────────────┼───────────────┤
 *   │ born time │ born H1 │ store time     │ store H2  │ reconsume     │ prepared off. │
 *
 *   68+H1+H2: i32 body length, body, i8 topic length, topic, i16 properties length, properties
 *
 * A host is its address (4 or 16 bytes) and an i32 port. Valid if the magic is right, the total equals the sum of the parts, the
 * physical offset is the position of byte 0, and the body's CRC matches (S-11). A blank record (room at the end of a file) is
 * `i32 size, i32 BLANK_MAGIC`; nothing behind those 8 bytes of it means anything.
 */

export const MESSAGE_MAGIC = 0xdaa320a7 | 0;
export const BLANK_MAGIC = 0xcbd43194 | 0;

/** Positions that other parts use without decoding a record. */
export const AT = {
  totalSize: 0,
  magic: 4,
  bodyCrc: 8,
  queueId: 12,
  flag: 16,
  queueOffset: 20,
  physicalOffset: 28,
  sysFlag: 36,
  bornTimestamp: 40,
  bornHost: 48,
} as const;

export const HOST_BYTES_V4 = 8;
export const HOST_BYTES_V6 = 20;

/** Bytes of a record before its body length, without the two hosts. */
const FIXED_BEFORE_BODY = 68;
/** Length fields of body, topic and properties. */
const LENGTH_FIELDS = 4 + 1 + 2;
/** Room that always stays behind the last message of a file, so that a blank header fits (2.6 step 5). */
export const BLANK_BYTES = 8;
/** Smallest possible record: IPv4 hosts, one byte of topic. */
export const RECORD_BYTES_MIN = FIXED_BEFORE_BODY + 2 * HOST_BYTES_V4 + LENGTH_FIELDS + 1;
/** Properties are an i16 length. */
export const PROPERTIES_BYTES_MAX = 32_767;

/** Bits of sysFlag (2.3). */
export const SYS_FLAG = {
  COMPRESSED: 0x1,
  MULTI_TAGS: 0x2,
  TRANSACTION_MASK: 0xc,
  TRANSACTION_PREPARED: 0x4,
  TRANSACTION_COMMIT: 0x8,
  TRANSACTION_ROLLBACK: 0xc,
  BORN_HOST_V6: 0x10,
  STORE_HOST_V6: 0x20,
} as const;

/** @returns bytes of the born host field */
export function bornHostBytes(sysFlag: number): number {
  return (sysFlag & SYS_FLAG.BORN_HOST_V6) === 0 ? HOST_BYTES_V4 : HOST_BYTES_V6;
}

/** @returns bytes of the store host field */
export function storeHostBytes(sysFlag: number): number {
  return (sysFlag & SYS_FLAG.STORE_HOST_V6) === 0 ? HOST_BYTES_V4 : HOST_BYTES_V6;
}

/** @returns position of the body length field */
export function bodyLengthAt(sysFlag: number): number {
  return FIXED_BEFORE_BODY + bornHostBytes(sysFlag) + storeHostBytes(sysFlag);
}

/** @returns position of the store timestamp */
export function storeTimestampAt(sysFlag: number): number {
  return AT.bornHost + bornHostBytes(sysFlag);
}

/** @returns bytes of the whole record */
export function recordBytes(
  sysFlag: number,
  parts: { readonly body: number; readonly topic: number; readonly properties: number },
): number {
  return bodyLengthAt(sysFlag) + LENGTH_FIELDS + parts.body + parts.topic + parts.properties;
}
