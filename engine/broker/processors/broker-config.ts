/** GET_BROKER_CONFIG (26) and UPDATE_BROKER_CONFIG (25) (admin-protocol C.2, D.5; R-31: all keys of a request or none). */
import { writeFastjson } from "../../base/fastjson.ts";
import { parseProperties } from "../../base/properties-file.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import { configEntries } from "../broker-config.ts";
import type { BrokerContext } from "../broker-context.ts";
import { AUTO_CREATE_TOPIC, PERM } from "../names.ts";

/** @returns the processor for code 26: effective values, corrections made at start and changes since included */
export function createBrokerConfigProcessor(context: BrokerContext): Processor {
  return () => {
    const lines = configEntries(context.config).map(([key, value]) => `${key}=${value}\n`);
    return {
      code: RESPONSE_CODE.SUCCESS,
      extFields: new Map([["version", writeFastjson({ ...context.liveConfig.version })]]),
      body: Buffer.from(lines.join(""), "utf8"),
    };
  };
}

/** What must happen for new values to count; everything else reads them when it needs them. */
function follow(context: BrokerContext, keys: readonly string[]): void {
  const { config, topics } = context;
  if (keys.includes("autoCreateTopicEnable") && config.autoCreateTopicEnable && !context.isSlave) {
    const perm = PERM.READ | PERM.WRITE | PERM.INHERIT;
    topics.ensure(AUTO_CREATE_TOPIC, config.defaultTopicQueueNums, perm);
  }
  if (keys.includes("brokerPermission")) topics.touch();
}

/** @returns the processor for code 25 */
export function createUpdateBrokerConfigProcessor(context: BrokerContext): Processor {
  const { liveConfig, logger } = context;
  return (request, { channel }) => {
    const entries = parseProperties(request.body?.toString("utf8") ?? "", "request");
    const forbidden = liveConfig.forbiddenKey(entries);
    if (forbidden !== undefined) {
      const remark = `Can not update config ${forbidden}: it cannot change at run time.`;
      return { code: RESPONSE_CODE.NO_PERMISSION, remark };
    }
    if (entries.length === 0) return { code: RESPONSE_CODE.SUCCESS };
    const remark = liveConfig.update(entries);
    follow(
      context,
      entries.map((entry) => entry.key),
    );
    for (const { key, value } of entries)
      logger.info("configuration changed", { key, value, by: channel.remote });
    return { code: RESPONSE_CODE.SUCCESS, remark };
  };
}
