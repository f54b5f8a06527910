/**
 * Records of the message trace topic (remoting-protocol 4.13): fields separated by U+0001, each record ended by U+0002.
 *   Pub       time region group topic msgId tags keys storeHost bodyLength cost type offsetMsgId success
 *   SubBefore time region group requestId msgId retryTimes keys
 *   SubAfter  requestId msgId cost success keys contextCode time group
 */
const FIELD_END = "\u0001";
const RECORD_END = "\u0002";

/** A send that a broker answered. */
export interface PublishTrace {
  readonly type: "Pub";
  readonly timestampMs: number;
  readonly region: string;
  readonly group: string;
  readonly topic: string;
  readonly msgId: string;
  readonly tags: string;
  readonly keys: string;
  /** `host:port` of the broker. */
  readonly storeHost: string;
  readonly bodyLength: number;
  readonly costMs: number;
  /** 0 normal, 1 half, 2 commit, 3 delayed. */
  readonly messageType: number;
  readonly offsetMsgId: string;
  readonly success: boolean;
}

/** A message is about to be handed to a listener. */
export interface ConsumeBeforeTrace {
  readonly type: "SubBefore";
  readonly timestampMs: number;
  readonly region: string;
  readonly group: string;
  /** The same in the record that follows the call. */
  readonly requestId: string;
  readonly msgId: string;
  readonly retryTimes: number;
  readonly keys: string;
}

/** A listener has returned. */
export interface ConsumeAfterTrace {
  readonly type: "SubAfter";
  readonly requestId: string;
  readonly msgId: string;
  readonly costMs: number;
  readonly success: boolean;
  readonly keys: string;
  /** Ordinal of Java's ConsumeReturnType: 0 success, 1 timeout, 2 exception, 3 null, 4 failed. */
  readonly contextCode: number;
  readonly timestampMs: number;
  readonly group: string;
}

export type TraceRecord = PublishTrace | ConsumeBeforeTrace | ConsumeAfterTrace;

function fieldsOf(record: TraceRecord): readonly (string | number | boolean)[] {
  switch (record.type) {
    case "Pub": {
      const { timestampMs, region, group, topic, msgId, tags, keys } = record;
      const { storeHost, bodyLength, costMs, messageType, offsetMsgId, success } = record;
      const message = [timestampMs, region, group, topic, msgId, tags, keys];
      return [...message, storeHost, bodyLength, costMs, messageType, offsetMsgId, success];
    }
    case "SubBefore": {
      const { timestampMs, region, group, requestId, msgId, retryTimes, keys } = record;
      return [timestampMs, region, group, requestId, msgId, retryTimes, keys];
    }
    case "SubAfter": {
      const { requestId, msgId, costMs, success, keys, contextCode, timestampMs, group } = record;
      return [requestId, msgId, costMs, success, keys, contextCode, timestampMs, group];
    }
  }
}

/** @returns one record as 4.9.0's clients write it */
export function encodeTrace(record: TraceRecord): string {
  return [record.type, ...fieldsOf(record)].join(FIELD_END) + RECORD_END;
}

type Fields = readonly string[];

function text(fields: Fields, at: number): string {
  return fields[at] ?? "";
}

function number(fields: Fields, at: number): number {
  return Number(fields[at] ?? "0");
}

function decodePublish(fields: Fields): PublishTrace {
  // Before 4.5 there was no offset id.
  const successAt = fields.length > 13 ? 13 : 12;
  return {
    type: "Pub",
    timestampMs: number(fields, 1),
    region: text(fields, 2),
    group: text(fields, 3),
    topic: text(fields, 4),
    msgId: text(fields, 5),
    tags: text(fields, 6),
    keys: text(fields, 7),
    storeHost: text(fields, 8),
    bodyLength: number(fields, 9),
    costMs: number(fields, 10),
    messageType: number(fields, 11),
    offsetMsgId: successAt === 13 ? text(fields, 12) : "",
    success: text(fields, successAt) === "true",
  };
}

function decodeBefore(fields: Fields): ConsumeBeforeTrace {
  return {
    type: "SubBefore",
    timestampMs: number(fields, 1),
    region: text(fields, 2),
    group: text(fields, 3),
    requestId: text(fields, 4),
    msgId: text(fields, 5),
    retryTimes: number(fields, 6),
    keys: text(fields, 7),
  };
}

function decodeAfter(fields: Fields): ConsumeAfterTrace {
  return {
    type: "SubAfter",
    requestId: text(fields, 1),
    msgId: text(fields, 2),
    costMs: number(fields, 3),
    success: text(fields, 4) === "true",
    keys: text(fields, 5),
    contextCode: number(fields, 6),
    timestampMs: number(fields, 7),
    group: text(fields, 8),
  };
}

const DECODERS: Readonly<Record<string, (fields: Fields) => TraceRecord>> = {
  Pub: decodePublish,
  SubBefore: decodeBefore,
  SubAfter: decodeAfter,
};

/**
 * @param body of a message of the trace topic, written by any client since 4.4
 * @returns its records; kinds that are not known here (ends of transactions) are left out
 */
export function decodeTrace(body: Buffer): TraceRecord[] {
  const records = body.toString("utf8").split(RECORD_END);
  return records.flatMap((record) => {
    const fields = record.split(FIELD_END);
    const kind = text(fields, 0);
    const decode = Object.hasOwn(DECODERS, kind) ? DECODERS[kind] : undefined;
    return decode === undefined ? [] : [decode(fields)];
  });
}
