/** Requests of this client that wait for their reply (remoting-protocol 4.8); one timer for all of them. */
import { EngineError } from "../../base/engine-error.ts";
import { decodeProperties, PROPERTY } from "../../message/properties.ts";
import { SYS_FLAG } from "../../message/record-layout.ts";
import type { RemotingCommand } from "../../remoting/command.ts";
import { decodeHeader } from "../../remoting/command-spec.ts";
import { PUSH_REPLY_MESSAGE_TO_CLIENT } from "../../remoting/commands/send-message.ts";
import { inflated } from "../consumer/received-message.ts";
import type { Reply } from "../producer-api.ts";

const TICK_MS = 50;

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly deadlineMs: number;
}

function noReply(correlationId: string): EngineError {
  return new EngineError("CLIENT_NO_REPLY", {
    message: `no reply to request ${correlationId} in time`,
    hint: "see whether a consumer of the topic is there and answers with reply()",
  });
}

/** See the file's head. */
export class PendingReplies {
  private readonly pending = new Map<string, Pending>();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param correlationId of the request
   * @param timeoutMs from now
   * @returns its reply
   * @throws EngineError CLIENT_NO_REPLY when there was none in time, or whatever `fail` and `failAll` are given
   */
  add(correlationId: string, timeoutMs: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const deadlineMs = performance.now() + timeoutMs;
      this.pending.set(correlationId, { resolve, reject, deadlineMs });
      this.timer ??= setInterval(() => this.expire(), TICK_MS);
    });
  }

  /** Takes in what a broker pushed; a reply nobody waits for (any more) is dropped. */
  receive(request: RemotingCommand): void {
    const header = decodeHeader(PUSH_REPLY_MESSAGE_TO_CLIENT.request, request.extFields);
    const properties = decodeProperties(header.properties ?? "");
    const pending = this.take(properties.get(PROPERTY.CORRELATION_ID) ?? "");
    if (pending === undefined) return;
    const body = request.body ?? Buffer.alloc(0);
    pending.resolve({
      topic: header.topic,
      body: (header.sysFlag & SYS_FLAG.COMPRESSED) === 0 ? body : inflated(body),
      properties,
      bornTimestamp: header.bornTimestamp,
      storeTimestamp: header.storeTimestamp ?? 0,
      flag: header.flag,
    });
  }

  /** The request could not be sent. */
  fail(correlationId: string, error: Error): void {
    this.take(correlationId)?.reject(error);
  }

  /** The client closes. */
  failAll(error: Error): void {
    for (const correlationId of this.pending.keys()) this.fail(correlationId, error);
  }

  private expire(): void {
    const now = performance.now();
    for (const [correlationId, { deadlineMs }] of this.pending)
      if (deadlineMs <= now) this.fail(correlationId, noReply(correlationId));
  }

  private take(correlationId: string): Pending | undefined {
    const pending = this.pending.get(correlationId);
    this.pending.delete(correlationId);
    if (this.pending.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
    return pending;
  }
}
