import { parseProperties } from "../../base/properties-file.ts";
import { REQUEST_CODE } from "../../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import { forbiddenKey, namesrvConfigText } from "../namesrv-config.ts";
import type { ProcessorFamily } from "../namesrv-context.ts";

/** UPDATE_NAMESRV_CONFIG (318): all keys of a request or none; GET_NAMESRV_CONFIG (319). */
export const configuration: ProcessorFamily = ({ config, logger }) => [
  [
    REQUEST_CODE.UPDATE_NAMESRV_CONFIG,
    (request, { channel }) => {
      const entries = parseProperties(request.body?.toString("utf8") ?? "", "request");
      const forbidden = forbiddenKey(entries);
      if (forbidden !== undefined) {
        const remark = `Can not update config ${forbidden}: it cannot change at run time.`;
        return { code: RESPONSE_CODE.NO_PERMISSION, remark };
      }
      if (entries.length > 0) config.update(entries);
      for (const { key, value } of entries) {
        logger.info("configuration changed", { key, value, by: channel.remote });
      }
      return { code: RESPONSE_CODE.SUCCESS };
    },
  ],
  [
    REQUEST_CODE.GET_NAMESRV_CONFIG,
    () => ({
      code: RESPONSE_CODE.SUCCESS,
      body: Buffer.from(namesrvConfigText(config.current), "utf8"),
    }),
  ],
];
