/** UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200), DELETE_SUBSCRIPTIONGROUP (207), QUERY_TOPIC_CONSUME_BY_WHO (300) (remoting-protocol 4.12). */
import { parseFastjson } from "../../base/fastjson.ts";
import { decodeHeader } from "../../remoting/command-spec.ts";
import {
  DELETE_SUBSCRIPTIONGROUP,
  QUERY_TOPIC_CONSUME_BY_WHO,
} from "../../remoting/commands/administration.ts";
import { encodeGroupList } from "../../remoting/bodies/simple.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";
import { groupNameProblem, NOT_ON_SLAVES } from "../names.ts";
import { readGroup } from "../subscription-groups.ts";

function refuse(remark: string): ResponseCommand {
  return { code: RESPONSE_CODE.SYSTEM_ERROR, remark };
}

/** @returns the processor for code 200 */
export function createUpdateGroupProcessor(context: BrokerContext): Processor {
  return (request) => {
    if (context.isSlave) return refuse(NOT_ON_SLAVES);
    const group = readGroup(parseFastjson(request.body?.toString("utf8") ?? "{}"));
    const problem = groupNameProblem(group.groupName);
    if (problem !== null) return refuse(problem);
    context.groups.put(group);
    return { code: RESPONSE_CODE.SUCCESS };
  };
}

/** @returns the processor for code 207 */
export function createDeleteGroupProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { groupName, removeOffset } = decodeHeader(
      DELETE_SUBSCRIPTIONGROUP.request,
      request.extFields,
    );
    if (context.isSlave) return refuse(NOT_ON_SLAVES);
    context.groups.delete(groupName);
    if (context.config.autoDeleteUnusedStats) context.statsItems.dropGroup(groupName);
    if (removeOffset === true) context.offsets.deleteGroup(groupName);
    return { code: RESPONSE_CODE.SUCCESS };
  };
}

/** @returns the processor for code 300: groups with a subscription now or with stored offsets */
export function createWhoConsumesProcessor(context: BrokerContext): Processor {
  return (request) => {
    const { topic } = decodeHeader(QUERY_TOPIC_CONSUME_BY_WHO.request, request.extFields);
    const online = context.clients
      .consumerGroups()
      .filter((group) => context.clients.consumerGroup(group)?.subscriptions.has(topic) === true);
    return {
      code: RESPONSE_CODE.SUCCESS,
      body: encodeGroupList([...new Set([...online, ...context.offsets.groupsOf(topic)])]),
    };
  };
}
