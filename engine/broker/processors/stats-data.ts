/** VIEW_BROKER_STATS_DATA (315): one statistic over a minute, an hour and a day (admin-protocol C.3). */
import { encodeStatsData } from "../../remoting/bodies/inspection.ts";
import { decodeHeader } from "../../remoting/command-spec.ts";
import { VIEW_BROKER_STATS_DATA } from "../../remoting/commands/inspection.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";

/** @returns the processor for code 315; tools take code 1 for zero */
export function createStatsDataProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { statsName, statsKey } = decodeHeader(VIEW_BROKER_STATS_DATA.request, request.extFields);
    const item = context.statsItems.find(statsName, statsKey);
    if (item !== undefined) return { code: RESPONSE_CODE.SUCCESS, body: encodeStatsData(item) };
    const remark = `The stats <${statsName}> <${statsKey}> not exist`;
    return { code: RESPONSE_CODE.SYSTEM_ERROR, remark };
  };
}
