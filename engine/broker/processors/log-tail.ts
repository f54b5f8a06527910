/** GET_LOG_POSITION (30001) and READ_LOG (30002): a returning master compares its log with a slave's and takes back what it lost (H-09). */
import { crc32Of } from "../log-compare.ts";
import { parseAllowedAddresses } from "../../ha/allowed-addresses.ts";
import { decodeHeader, encodeHeader } from "../../remoting/command-spec.ts";
import { GET_LOG_POSITION, READ_LOG } from "../../remoting/commands/log-tail.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";

/** One answer; well below the frame limit. */
const READ_BYTES_MAX = 1_048_576;

/** The log goes to whom the replication port would send it (H-04). */
function forReplicas(context: BrokerContext, serve: Processor): Processor {
  const isAllowed = parseAllowedAddresses(context.config.haAllowedAddresses);
  return (request, from) =>
    isAllowed(from.channel.remoteAddress)
      ? serve(request, from)
      : { code: RESPONSE_CODE.NO_PERMISSION, remark: "not in haAllowedAddresses" };
}

/** @returns the processor for code 30001 */
export function createLogPositionProcessor(context: BrokerContext): Processor {
  const { log } = context.store;
  return forReplicas(context, (request) => {
    const { compareFrom, compareTo } = decodeHeader(GET_LOG_POSITION.request, request.extFields);
    const extFields = encodeHeader(GET_LOG_POSITION.response, {
      minOffset: log.minOffset,
      endOffset: log.writtenOffset,
      fileSize: log.fileSize,
      compareCrc: crc32Of(log, compareFrom, compareTo) ?? undefined,
    });
    return { code: RESPONSE_CODE.SUCCESS, extFields };
  });
}

/** @returns the processor for code 30002 */
export function createReadLogProcessor(context: BrokerContext): Processor {
  const { log } = context.store;
  return forReplicas(context, (request) => {
    const { offset, bytesMax } = decodeHeader(READ_LOG.request, request.extFields);
    if (offset < log.minOffset || bytesMax <= 0) {
      return {
        code: RESPONSE_CODE.SYSTEM_ERROR,
        remark: `offset ${offset} is below this log's ${log.minOffset}, or bytesMax ${bytesMax} is none`,
      };
    }
    const part = log.readRaw(offset, Math.min(bytesMax, READ_BYTES_MAX));
    // The slab behind the bytes may be reused before the answer has left.
    const body = Buffer.from(part.bytes);
    part.release();
    return { code: RESPONSE_CODE.SUCCESS, body };
  });
}
