import { parseFastjson, writeFastjson } from "../../base/fastjson.ts";
import { decodeDataVersion } from "../../remoting/bodies/topic-config.ts";
import { decodeHeader, encodeHeader } from "../../remoting/command-spec.ts";
import { QUERY_DATA_VERSION, UNREGISTER_BROKER } from "../../remoting/commands/name-server.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { ProcessorFamily } from "../namesrv-context.ts";

/** QUERY_DATA_VERSION (remoting-protocol 3.3) and UNREGISTER_BROKER (3.4). */
export const brokerPresence: ProcessorFamily = ({ registry, now }) => [
  [
    QUERY_DATA_VERSION.code,
    (request) => {
      const header = decodeHeader(QUERY_DATA_VERSION.request, request.extFields);
      const text = request.body?.toString("utf8") ?? "null";
      const version = decodeDataVersion(parseFastjson(text));
      const { stored, isChanged } = registry.queryVersion(header.brokerAddr, version, now());
      return {
        code: RESPONSE_CODE.SUCCESS,
        extFields: encodeHeader(QUERY_DATA_VERSION.response, { changed: isChanged }),
        body: stored === undefined ? null : Buffer.from(writeFastjson({ ...stored }), "utf8"),
      };
    },
  ],
  [
    UNREGISTER_BROKER.code,
    (request) => {
      const { brokerName, brokerId, brokerAddr } = decodeHeader(
        UNREGISTER_BROKER.request,
        request.extFields,
      );
      registry.unregister({ brokerName, brokerId }, brokerAddr);
      return { code: RESPONSE_CODE.SUCCESS };
    },
  ],
];
