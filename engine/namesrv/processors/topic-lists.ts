import { encodeTopicList } from "../../remoting/bodies/simple.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import { decodeHeader } from "../../remoting/command-spec.ts";
import { GET_TOPICS_BY_CLUSTER } from "../../remoting/commands/name-server.ts";
import type { Processor } from "../../remoting/processor.ts";
import { REQUEST_CODE } from "../../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerRegistry } from "../broker-registry.ts";
import type { ProcessorFamily } from "../namesrv-context.ts";
import type { RouteTable } from "../route-table.ts";

const UNIT = 1;
const UNIT_SUB = 2;

function topicList(topics: readonly string[], brokerAddr?: string): ResponseCommand {
  return { code: RESPONSE_CODE.SUCCESS, body: encodeTopicList(topics, brokerAddr) };
}

/** Topics whose first queue entry has these bits of topicSysFlag set and cleared (311 to 313). */
function byUnitFlags(
  routes: RouteTable,
  flags: { readonly set: number; readonly cleared: number },
): Processor {
  return () =>
    topicList(
      routes.topics().filter((topic) => {
        const sysFlag = routes.queuesOf(topic)[0]?.topicSysFlag ?? 0;
        return (sysFlag & flags.set) === flags.set && (sysFlag & flags.cleared) === 0;
      }),
    );
}

/** 304: broker and cluster names, and any broker's address, where the asker goes on with 305. */
function systemTopics(registry: BrokerRegistry, asker: string): ResponseCommand {
  const { brokers, clusters } = registry.routes;
  const [first] = [...brokers.values()].flatMap((broker) => [...broker.addresses.values()]);
  const brokerAddr = first === undefined ? undefined : registry.addressFor(first, asker);
  return topicList([...brokers.keys(), ...clusters.keys()], brokerAddr);
}

/** Lists of topic names: 206, 224, 304, 311, 312, 313 (remoting-protocol 3.8). */
export const topicLists: ProcessorFamily = ({ registry }) => {
  const { routes } = registry;
  return [
    [REQUEST_CODE.GET_ALL_TOPIC_LIST_FROM_NAMESERVER, () => topicList(routes.topics())],
    [
      GET_TOPICS_BY_CLUSTER.code,
      (request) => {
        const { cluster } = decodeHeader(GET_TOPICS_BY_CLUSTER.request, request.extFields);
        return topicList(routes.topicsOfCluster(cluster));
      },
    ],
    [
      REQUEST_CODE.GET_SYSTEM_TOPIC_LIST_FROM_NS,
      (_request, { channel }) => systemTopics(registry, channel.remoteAddress),
    ],
    [REQUEST_CODE.GET_UNIT_TOPIC_LIST, byUnitFlags(routes, { set: UNIT, cleared: 0 })],
    [REQUEST_CODE.GET_HAS_UNIT_SUB_TOPIC_LIST, byUnitFlags(routes, { set: UNIT_SUB, cleared: 0 })],
    [
      REQUEST_CODE.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST,
      byUnitFlags(routes, { set: UNIT_SUB, cleared: UNIT }),
    ],
  ];
};
