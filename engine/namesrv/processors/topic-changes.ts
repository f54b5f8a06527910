import { decodeHeader, encodeHeader } from "../../remoting/command-spec.ts";
import { BROKER_WRITE_PERM, DELETE_TOPIC_IN_NAMESRV } from "../../remoting/commands/name-server.ts";
import { REQUEST_CODE } from "../../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { ProcessorFamily } from "../namesrv-context.ts";

/** What an administrator changes in the routes of this one name server: 205, 327 and 216 (remoting-protocol 3.8). */
export const topicChanges: ProcessorFamily = ({ registry, logger }) => [
  [
    REQUEST_CODE.WIPE_WRITE_PERM_OF_BROKER,
    (request, { channel }) => {
      const { brokerName } = decodeHeader(BROKER_WRITE_PERM.request, request.extFields);
      const wipeTopicCount = registry.routes.wipeWritePermission(brokerName);
      logger.info("write permission wiped", { brokerName, wipeTopicCount, by: channel.remote });
      const extFields = encodeHeader(BROKER_WRITE_PERM.response, { wipeTopicCount });
      return { code: RESPONSE_CODE.SUCCESS, extFields };
    },
  ],
  [
    REQUEST_CODE.ADD_WRITE_PERM_OF_BROKER,
    (request, { channel }) => {
      const { brokerName } = decodeHeader(BROKER_WRITE_PERM.request, request.extFields);
      const addTopicCount = registry.routes.addWritePermission(brokerName);
      logger.info("write permission added", { brokerName, addTopicCount, by: channel.remote });
      const extFields = encodeHeader(BROKER_WRITE_PERM.response, { addTopicCount });
      return { code: RESPONSE_CODE.SUCCESS, extFields };
    },
  ],
  [
    DELETE_TOPIC_IN_NAMESRV.code,
    (request, { channel }) => {
      const header = decodeHeader(DELETE_TOPIC_IN_NAMESRV.request, request.extFields);
      // An empty cluster name is none: 4.9.8's tools send the field always.
      const cluster = header.clusterName === "" ? undefined : header.clusterName;
      if (registry.routes.deleteTopic(header.topic, cluster)) {
        logger.info("topic deleted", { topic: header.topic, cluster, by: channel.remote });
      }
      return { code: RESPONSE_CODE.SUCCESS };
    },
  ],
];
