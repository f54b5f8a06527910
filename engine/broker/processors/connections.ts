/** GET_CONSUMER_CONNECTION_LIST (203), GET_PRODUCER_CONNECTION_LIST (204) (remoting-protocol 4.12), GET_ALL_PRODUCER_INFO (328, admin-protocol B.1). */
import { writeFastjson } from "../../base/fastjson.ts";
import { decodeHeader } from "../../remoting/command-spec.ts";
import {
  GET_CONSUMER_CONNECTION_LIST,
  GET_PRODUCER_CONNECTION_LIST,
} from "../../remoting/commands/administration.ts";
import { subscriptionValue } from "../../remoting/bodies/heartbeat.ts";
import { encodeProducerTable } from "../../remoting/bodies/inspection.ts";
import { languageName } from "../../remoting/languages.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext, ClientConnection } from "../broker-context.ts";

function connectionValue(connection: ClientConnection) {
  const { channel, clientId, language, version } = connection;
  return { clientAddr: channel.remote, clientId, language: languageName(language), version };
}

/** @returns the processor for code 203 */
export function createConsumerConnectionsProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { consumerGroup } = decodeHeader(GET_CONSUMER_CONNECTION_LIST.request, request.extFields);
    const group = context.clients.consumerGroup(consumerGroup);
    if (group === undefined)
      return {
        code: RESPONSE_CODE.CONSUMER_NOT_ONLINE,
        remark: `the consumer group[${consumerGroup}] not online`,
      };
    const { consumeFromWhere, consumeType, messageModel } = group;
    const subscriptionTable = new Map(
      [...group.subscriptions].map(
        ([topic, subscription]) =>
          [
            topic,
            subscriptionValue({ ...subscription, codeSet: [...subscription.codeSet] }),
          ] as const,
      ),
    );
    const text = writeFastjson({
      connectionSet: group.members.map(connectionValue),
      consumeFromWhere,
      consumeType,
      messageModel,
      subscriptionTable,
    });
    return { code: RESPONSE_CODE.SUCCESS, body: Buffer.from(text, "utf8") };
  };
}

/** @returns the processor for code 204 */
export function createProducerConnectionsProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { producerGroup } = decodeHeader(GET_PRODUCER_CONNECTION_LIST.request, request.extFields);
    const members = context.clients.producers(producerGroup);
    if (members.length === 0)
      return {
        code: RESPONSE_CODE.SYSTEM_ERROR,
        remark: `the producer group[${producerGroup}] not exist`,
      };
    return {
      code: RESPONSE_CODE.SUCCESS,
      body: Buffer.from(writeFastjson({ connectionSet: members.map(connectionValue) }), "utf8"),
    };
  };
}

/** @returns the processor for code 328: producers of every group, their addresses as Java prints them */
export function createAllProducersProcessor(context: BrokerContext): Processor {
  return () => {
    const groups = context.clients.producerGroups().map((group) => {
      const members = context.clients.producers(group).map((member) => ({
        clientId: member.clientId,
        language: languageName(member.language),
        lastUpdateTimestamp: member.lastHeartbeatMs,
        remoteIP: `/${member.channel.remote}`,
        version: member.version,
      }));
      return [group, members] as const;
    });
    return { code: RESPONSE_CODE.SUCCESS, body: encodeProducerTable(new Map(groups)) };
  };
}
