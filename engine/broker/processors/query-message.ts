/** QUERY_MESSAGE (12): messages by key; VIEW_MESSAGE_BY_ID (33): one by its offset (remoting-protocol 4.9, admin-protocol B.1). */
import { decodeHeader, encodeHeader } from "../../remoting/command-spec.ts";
import { QUERY_MESSAGE, VIEW_MESSAGE_BY_ID } from "../../remoting/commands/administration.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";
import { withSafeLongs } from "../safe-longs.ts";

/** */
const KEY_BYTES_MAX = 255;
const NOT_FOUND = "can not find message, maybe time range not correct";

/** 4.9 says how far its index reaches only along with messages. */
const NOTHING_INDEXED = encodeHeader(QUERY_MESSAGE.response, {
  indexLastUpdateTimestamp: 0,
  indexLastUpdatePhyoffset: 0,
});

/** @returns the processor for code 12 */
export function createQueryMessageProcessor(context: BrokerContext): Processor {
  const { config, store } = context;
  return async (request) => {
    const ext = withSafeLongs(request.extFields, ["beginTimestamp", "endTimestamp"]);
    const header = decodeHeader(QUERY_MESSAGE.request, ext);
    if (Buffer.byteLength(header.key, "utf8") > KEY_BYTES_MAX) {
      const remark = `the key is longer than ${KEY_BYTES_MAX} bytes`;
      return { code: RESPONSE_CODE.SYSTEM_ERROR, remark };
    }
    const asked = header.uniqueKeyQuery === true ? config.defaultQueryMaxNum : header.maxNum;
    const max = Math.min(config.maxMsgsNumBatch, Math.max(1, asked));
    const range = { beginMs: header.beginTimestamp, endMs: header.endTimestamp };
    const found = await store.queryMessage(header.topic, header.key, max, range);
    if (found.records.length === 0) {
      return { code: RESPONSE_CODE.QUERY_NOT_FOUND, remark: NOT_FOUND, extFields: NOTHING_INDEXED };
    }
    const extFields = encodeHeader(QUERY_MESSAGE.response, found);
    return { code: RESPONSE_CODE.SUCCESS, extFields, body: Buffer.concat(found.records) };
  };
}

/** @returns the processor for code 33; a wrong offset never returns arbitrary bytes */
export function createViewMessageProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { offset } = decodeHeader(VIEW_MESSAGE_BY_ID.request, request.extFields);
    const record = offset < 0 ? null : context.store.recordAt(offset);
    if (record === null) {
      const remark = `can not find message by the offset, ${offset}`;
      return { code: RESPONSE_CODE.SYSTEM_ERROR, remark };
    }
    return { code: RESPONSE_CODE.SUCCESS, body: Buffer.from(record.bytes) };
  };
}
