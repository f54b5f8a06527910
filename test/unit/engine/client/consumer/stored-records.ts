/** Stored records as a broker answers them, made by the engine's own encoder. */
import { encodeProperties } from "../../../../../engine/message/properties.ts";
import { encodeRecord } from "../../../../../engine/message/record-encode.ts";
import { recordBytes } from "../../../../../engine/message/record-layout.ts";

export interface RecordSpec {
  readonly topic?: string;
  readonly queueId?: number;
  readonly queueOffset?: number;
  readonly body?: Buffer;
  readonly sysFlag?: number;
  readonly reconsumeTimes?: number;
  readonly properties?: Readonly<Record<string, string>>;
}

/** @returns the bytes of one record */
export function storedRecord(spec: RecordSpec = {}): Buffer {
  const body = spec.body ?? Buffer.from("body");
  const topic = Buffer.from(spec.topic ?? "T");
  const properties = Buffer.from(encodeProperties(new Map(Object.entries(spec.properties ?? {}))));
  const sysFlag = spec.sysFlag ?? 0;
  const length = recordBytes(sysFlag, {
    body: body.length,
    topic: topic.length,
    properties: properties.length,
  });
  const bytes = Buffer.alloc(length);
  encodeRecord(bytes, new DataView(bytes.buffer, bytes.byteOffset, length), 0, {
    queueId: spec.queueId ?? 0,
    flag: 3,
    queueOffset: spec.queueOffset ?? 0,
    physicalOffset: 2_560,
    sysFlag,
    bornTimestamp: 1_795_360_599_055,
    bornHost: { address: Buffer.from([127, 0, 0, 1]), port: 50_000 },
    storeTimestamp: 1_795_360_599_060,
    storeHost: { address: Buffer.from([127, 0, 0, 1]), port: 10_911 },
    reconsumeTimes: spec.reconsumeTimes ?? 0,
    preparedTransactionOffset: 0,
    body,
    bodyStart: 0,
    bodyEnd: body.length,
    topic,
    properties,
    propertiesStart: 0,
    propertiesEnd: properties.length,
  });
  return bytes;
}
