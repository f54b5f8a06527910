/** Registration of clients: HEART_BEAT (34), UNREGISTER_CLIENT (35), GET_CONSUMER_LIST_BY_GROUP (38), CHECK_CLIENT_CONFIG (46). */
import { decodeHeader } from "../../remoting/command-spec.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import { GET_CONSUMER_LIST_BY_GROUP, UNREGISTER_CLIENT } from "../../remoting/commands/clients.ts";
import {
  decodeCheckClient,
  decodeHeartbeat,
  type HeartbeatBody,
} from "../../remoting/bodies/heartbeat.ts";
import { encodeConsumerIdList } from "../../remoting/bodies/simple.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";
import type { BrokerClients } from "../client-registry.ts";
import { groupNameProblem, PERM, RETRY_TOPIC_PREFIX, TOPIC_SYS_FLAG } from "../names.ts";
import { compileFilter, filterNotServed, SQL92 } from "../property-filter.ts";
import { isTagType } from "../tag-filter.ts";

/** F-18, R-27. */
const HEARTBEAT_BYTES_MAX = 1_048_576;
const GROUPS_MAX = 1_024;
const SUBSCRIPTIONS_MAX = 2_048;
const CLIENT_ID_MAX = 255;

const SUCCESS: ResponseCommand = { code: RESPONSE_CODE.SUCCESS };

function refuse(remark: string): ResponseCommand {
  return { code: RESPONSE_CODE.SYSTEM_ERROR, remark };
}

/** @returns why a heartbeat is refused, or null */
function heartbeatProblem(body: HeartbeatBody): string | null {
  const groups = [...body.producers, ...body.consumers.map((consumer) => consumer.groupName)];
  const subscriptions = body.consumers.reduce(
    (sum, consumer) => sum + consumer.subscriptions.length,
    0,
  );
  const badId =
    body.clientId === "" || body.clientId.length > CLIENT_ID_MAX || /\p{Cc}/u.test(body.clientId);
  if (badId) return "the clientID is empty, too long or has control characters";
  if (groups.length > GROUPS_MAX) return `more than ${GROUPS_MAX} groups in a heartbeat`;
  if (subscriptions > SUBSCRIPTIONS_MAX)
    return `more than ${SUBSCRIPTIONS_MAX} subscriptions in a heartbeat`;
  return groups.map(groupNameProblem).find((problem) => problem !== null) ?? null;
}

/** @returns the processor for code 34 */
export function createHeartbeatProcessor(
  context: BrokerContext,
  clients: BrokerClients,
): Processor {
  return (request, { channel }) => {
    if (request.body === null) return refuse("a heartbeat without a body");
    if (request.body.length > HEARTBEAT_BYTES_MAX) return refuse("a heartbeat longer than 1 MiB");
    const body = decodeHeartbeat(request.body);
    const problem = heartbeatProblem(body);
    if (problem !== null) return refuse(problem);
    for (const consumer of body.consumers) {
      const group = context.groups.getOrCreate(consumer.groupName);
      if (group === undefined || group.retryQueueNums <= 0 || context.isSlave) continue;
      context.topics.ensure(
        RETRY_TOPIC_PREFIX + consumer.groupName,
        group.retryQueueNums,
        PERM.READ | PERM.WRITE,
        consumer.unitMode ? TOPIC_SYS_FLAG.UNIT_SUB : 0,
      );
    }
    clients.heartbeat(body, { channel, language: request.language, version: request.version });
    return SUCCESS;
  };
}

/** @returns the processor for code 35 */
export function createUnregisterClientProcessor(clients: BrokerClients): Processor {
  return (request, { channel }) => {
    clients.unregister(channel, decodeHeader(UNREGISTER_CLIENT.request, request.extFields));
    return SUCCESS;
  };
}

/** @returns the processor for code 38 */
export function createConsumerListProcessor(clients: BrokerClients): Processor {
  return (request) => {
    const { consumerGroup } = decodeHeader(GET_CONSUMER_LIST_BY_GROUP.request, request.extFields);
    const ids = clients.consumerIds(consumerGroup);
    if (ids.length > 0) return { code: RESPONSE_CODE.SUCCESS, body: encodeConsumerIdList(ids) };
    return {
      code: RESPONSE_CODE.SYSTEM_ERROR,
      remark: `no consumer for this group, ${consumerGroup}`,
      extFields: new Map(),
    };
  };
}

/** @returns the processor for code 46: may this consumer filter as it wants to? */
export function createCheckClientConfigProcessor(context: BrokerContext): Processor {
  return (request) => {
    if (request.body === null) return SUCCESS;
    const { clientId, group, subscription } = decodeCheckClient(request.body);
    const { topic, subString, expressionType } = subscription;
    if (isTagType(expressionType)) return SUCCESS;
    if (!context.config.enablePropertyFilter) return filterNotServed(expressionType);
    const compiled =
      expressionType === SQL92
        ? compileFilter(subString, () => undefined)
        : `${expressionType.slice(0, 64)} is no type of expression`;
    if (typeof compiled !== "string") return SUCCESS;
    context.logger.warn("a consumer's filter was refused", {
      clientId,
      group,
      topic,
      problem: compiled,
    });
    return { code: RESPONSE_CODE.SUBSCRIPTION_PARSE_FAILED, remark: compiled };
  };
}
