/** One PULL_MESSAGE (remoting-protocol 4.2). */
import { decodeHeader, encodeHeader } from "../../remoting/command-spec.ts";
import { PULL_FLAG, PULL_MESSAGE } from "../../remoting/commands/pull-message.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { RemotingClient } from "../../remoting/server-api.ts";
import type { MessageQueue, ReceivedMessage } from "../client-api.ts";
import { RefusedError } from "../request.ts";
import { decodeMessages, type StoredMessage } from "./received-message.ts";

/** What a pull found: messages; none yet; none that match; an offset outside the queue. */
export type PullStatus = "found" | "not-found" | "no-match" | "offset-illegal";

const STATUS: ReadonlyMap<number, PullStatus> = new Map([
  [RESPONSE_CODE.SUCCESS, "found"],
  [RESPONSE_CODE.PULL_NOT_FOUND, "not-found"],
  [RESPONSE_CODE.PULL_RETRY_IMMEDIATELY, "no-match"],
  [RESPONSE_CODE.PULL_OFFSET_MOVED, "offset-illegal"],
]);

/** What to pull. */
export interface PullRequest {
  readonly group: string;
  readonly queue: MessageQueue;
  readonly offset: number;
  readonly messagesMax: number;
  /** Stored for the group by a master; undefined commits nothing. */
  readonly commitOffset?: number | undefined;
  /** How long the broker may hold the request; 0 answers at once. */
  readonly suspendMs: number;
  /** Expression carried by the request itself; undefined goes by the group's heartbeat. */
  readonly expression?: string;
  /** Its language, `TAG` or `SQL92`. Default TAG. */
  readonly expressionType?: string;
  /** Version of the subscription the heartbeat announced. */
  readonly subVersion?: number;
  /** Marks the request as one of a lite pull consumer. */
  readonly isLite?: boolean;
}

/** What came back. */
export interface PullResult<Pulled extends ReceivedMessage = ReceivedMessage> {
  readonly status: PullStatus;
  readonly nextBeginOffset: number;
  readonly minOffset: number;
  readonly maxOffset: number;
  /** Id of the broker to ask next. */
  readonly suggestedBrokerId: number;
  readonly messages: readonly Pulled[];
}

function sysFlagOf(request: PullRequest): number {
  return (
    (request.commitOffset === undefined ? 0 : PULL_FLAG.COMMIT_OFFSET) |
    (request.suspendMs > 0 ? PULL_FLAG.SUSPEND : 0) |
    (request.expression === undefined ? 0 : PULL_FLAG.SUBSCRIPTION) |
    (request.isLite === true ? PULL_FLAG.LITE_PULL : 0)
  );
}

/**
 * @param address master or slave that holds the queue
 * @param timeoutMs more than the request's suspendMs
 * @throws RefusedError for a refusal of 4.2.2; EngineError REMOTING_* | MESSAGE_INVALID
 */
export async function pullMessages(
  remoting: RemotingClient,
  address: string,
  request: PullRequest,
  timeoutMs: number,
): Promise<PullResult<StoredMessage>> {
  const { queue } = request;
  const extFields = encodeHeader(PULL_MESSAGE.request, {
    consumerGroup: request.group,
    topic: queue.topic,
    queueId: queue.queueId,
    queueOffset: request.offset,
    maxMsgNums: request.messagesMax,
    sysFlag: sysFlagOf(request),
    commitOffset: request.commitOffset ?? 0,
    suspendTimeoutMillis: request.suspendMs,
    subscription: request.expression,
    subVersion: request.subVersion ?? 0,
    expressionType: request.expressionType ?? "TAG",
  });
  const response = await remoting.invoke(
    address,
    { code: PULL_MESSAGE.code, extFields },
    timeoutMs,
  );
  const status = STATUS.get(response.code);
  if (status === undefined) throw new RefusedError(address, PULL_MESSAGE.name, response);
  const header = decodeHeader(PULL_MESSAGE.response, response.extFields);
  const isFound = status === "found" && response.body !== null;
  return {
    status,
    nextBeginOffset: header.nextBeginOffset ?? request.offset,
    minOffset: header.minOffset ?? 0,
    maxOffset: header.maxOffset ?? 0,
    suggestedBrokerId: header.suggestWhichBrokerId ?? 0,
    messages: isFound ? decodeMessages(response.body, queue.brokerName) : [],
  };
}
