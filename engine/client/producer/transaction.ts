/** A producer of transaction messages (remoting-protocol 4.7). */
import { EngineError } from "../../base/engine-error.ts";
import { parseOffsetMessageId } from "../../message/message-id.ts";
import { PROPERTY } from "../../message/properties.ts";
import { SYS_FLAG } from "../../message/record-layout.ts";
import type { Message, ReceivedMessage, SendResult } from "../client-api.ts";
import type { SharedClient } from "../mq-client.ts";
import type {
  LocalTransactionExecutor,
  TransactionChecker,
  TransactionOptions,
  TransactionProducer,
  TransactionProducerOptions,
  TransactionSendResult,
  TransactionState,
} from "../producer-api.ts";
import type { TraceDispatcher } from "../trace/trace-dispatcher.ts";
import { endTransactionRequest } from "./end-transaction.ts";
import { MessageProducer } from "./send.ts";

/** What the local transaction came to. */
interface LocalOutcome {
  readonly state: TransactionState;
  readonly localError?: unknown;
}

function ownProperties(group: string, options: TransactionOptions): Record<string, string> {
  const { checkImmunitySeconds: seconds } = options;
  if (seconds !== undefined && (!Number.isInteger(seconds) || seconds < 0)) {
    throw new EngineError("MESSAGE_INVALID", {
      message: `checkImmunitySeconds=${seconds} is no number of whole seconds`,
    });
  }
  const immunity =
    seconds === undefined ? {} : { [PROPERTY.CHECK_IMMUNITY_TIME_IN_SECONDS]: String(seconds) };
  return { [PROPERTY.TRAN_MSG]: "true", [PROPERTY.PGROUP]: group, ...immunity };
}

/** Implementation of TransactionProducer. */
export class TransactionMessageProducer extends MessageProducer implements TransactionProducer {
  private readonly check: TransactionChecker;

  /** @param trace tells of its sends; undefined for none @throws EngineError MESSAGE_INVALID for a bad group name */
  constructor(client: SharedClient, options: TransactionProducerOptions, trace?: TraceDispatcher) {
    super(client, options, trace);
    this.check = options.check;
  }

  async sendInTransaction(
    message: Message,
    execute: LocalTransactionExecutor,
    options: TransactionOptions = {},
  ): Promise<TransactionSendResult> {
    if (message.delayLevel !== undefined) {
      throw new EngineError("MESSAGE_INVALID", {
        message: "a transaction message cannot be delayed",
        hint: "send it without a delay level, or delay in the consumer",
      });
    }
    const prepared = this.prepareMarked(message, {
      properties: ownProperties(this.group, options),
      sysFlag: SYS_FLAG.TRANSACTION_PREPARED,
      onlyOnce: true,
    });
    const sent = await this.deliver(prepared, options);
    const outcome = await this.local(sent, message, execute);
    await this.end(sent, outcome.state);
    return { ...sent, transactionId: sent.msgId, ...outcome };
  }

  override async checkTransaction(message: ReceivedMessage): Promise<TransactionState> {
    try {
      return await this.check(message);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.client.logger.warn("a check of a transaction failed: the broker will ask again", {
        transactionId: message.msgId,
        reason,
      });
      return "unknown";
    }
  }

  private async local(
    sent: SendResult,
    message: Message,
    execute: LocalTransactionExecutor,
  ): Promise<LocalOutcome> {
    if (sent.status !== "SEND_OK") return { state: "rollback" };
    try {
      return { state: await execute({ transactionId: sent.msgId, message }) };
    } catch (localError) {
      return { state: "unknown", localError };
    }
  }

  /** Tells the broker that has the half message. What gets lost is asked for by a check. */
  private async end(sent: SendResult, state: TransactionState): Promise<void> {
    if (state === "unknown") return;
    try {
      const { brokerName } = sent.queue;
      const request = endTransactionRequest({
        producerGroup: this.group,
        state,
        halfOffset: sent.queueOffset,
        physicalOffset: parseOffsetMessageId(sent.offsetMsgId).physicalOffset,
        msgId: sent.msgId,
        fromTransactionCheck: false,
      });
      const address = this.client.routes.brokers.requireMaster(brokerName);
      await this.client.remoting.sendOneway(address, request);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.client.logger.warn(
        "the end of a transaction did not leave: the broker will ask for it",
        {
          transactionId: sent.msgId,
          state,
          reason,
        },
      );
    }
  }
}
