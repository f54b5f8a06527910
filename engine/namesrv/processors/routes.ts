import {
  encodeClusterInfo,
  encodeRouteData,
  type RouteBrokerData,
} from "../../remoting/bodies/route-data.ts";
import { decodeHeader } from "../../remoting/command-spec.ts";
import { GET_ROUTEINFO_BY_TOPIC } from "../../remoting/commands/name-server.ts";
import { REQUEST_CODE } from "../../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerRegistry } from "../broker-registry.ts";
import { ORDER_TOPIC_CONFIG } from "../kv-config.ts";
import type { ProcessorFamily } from "../namesrv-context.ts";
import type { BrokerEntry } from "../route-table.ts";

function seenBy(registry: BrokerRegistry, broker: BrokerEntry, asker: string): RouteBrokerData {
  const addresses = [...broker.addresses].map(
    ([id, address]) => [id, registry.addressFor(address, asker)] as const,
  );
  const { brokerName, cluster } = broker;
  return { brokerName, cluster, brokerAddrs: new Map(addresses) };
}

/** GET_ROUTEINFO_BY_TOPIC (remoting-protocol 3.6) and GET_BROKER_CLUSTER_INFO (3.7). */
export const routes: ProcessorFamily = ({ registry, kv, config }) => [
  [
    GET_ROUTEINFO_BY_TOPIC.code,
    (request, { channel }) => {
      const header = decodeHeader(GET_ROUTEINFO_BY_TOPIC.request, request.extFields);
      const route = registry.routes.route(header.topic);
      if (route === null) {
        const remark = `No topic route info in name server for the topic: ${header.topic}\nSee http://rocketmq.apache.org/docs/faq/ for further details.`;
        return { code: RESPONSE_CODE.TOPIC_NOT_EXIST, remark };
      }
      const orderTopicConf = config.current.orderMessageEnable
        ? kv.get(ORDER_TOPIC_CONFIG, header.topic)
        : undefined;
      const brokerDatas = route.brokers.map((broker) =>
        seenBy(registry, broker, channel.remoteAddress),
      );
      const asker = {
        version: request.version,
        strictJson: header.acceptStandardJsonOnly ?? false,
      };
      return {
        code: RESPONSE_CODE.SUCCESS,
        body: encodeRouteData({ brokerDatas, queueDatas: route.queues, orderTopicConf }, asker),
      };
    },
  ],
  [
    REQUEST_CODE.GET_BROKER_CLUSTER_INFO,
    (_request, { channel }) => {
      const brokers = [...registry.routes.brokers.values()].map((broker) =>
        seenBy(registry, broker, channel.remoteAddress),
      );
      const clusters = [...registry.routes.clusters].map(
        ([cluster, names]) => [cluster, [...names]] as const,
      );
      return {
        code: RESPONSE_CODE.SUCCESS,
        body: encodeClusterInfo({ brokers, clusters: new Map(clusters) }),
      };
    },
  ],
];
