/** Public types of transactions and of request-reply (remoting-protocol 4.7, 4.8). `engine/client/index.ts` exports them. */
import type {
  Message,
  Producer,
  ProducerOptions,
  ReceivedMessage,
  SendOptions,
  SendResult,
} from "./client-api.ts";

/** What became of a local transaction. `unknown`: not known yet, the broker shall ask again later. */
export type TransactionState = "commit" | "rollback" | "unknown";

/** A half message that the broker has, and that nobody sees yet. */
export interface LocalTransaction {
  /** Name of the transaction: the message's `msgId`, in checks too. */
  readonly transactionId: string;
  readonly message: Message;
}

/** Runs the local transaction. Throwing counts as `unknown`. */
export type LocalTransactionExecutor = (
  transaction: LocalTransaction,
) => TransactionState | Promise<TransactionState>;

/**
 * Answers a broker that asks what became of a transaction; any process of the producer group may be asked, so the answer must come from
 * where the local transaction left its mark. `message.msgId` is the transaction's id. Throwing counts as `unknown`.
 */
export type TransactionChecker = (
  message: ReceivedMessage,
) => TransactionState | Promise<TransactionState>;

export interface TransactionProducerOptions extends ProducerOptions {
  readonly check: TransactionChecker;
}

export interface TransactionOptions extends SendOptions {
  /** The broker must not ask before the message is this old, s. Default: the broker's `transactionTimeOut`. */
  readonly checkImmunitySeconds?: number;
}

/** Where the half message stands and what was told to the broker. */
export interface TransactionSendResult extends SendResult {
  readonly transactionId: string;
  /** `rollback` without running the local transaction when the half message is not safe (any status but SEND_OK). */
  readonly state: TransactionState;
  /** What the local transaction threw. */
  readonly localError?: unknown;
}

export interface TransactionProducer extends Producer {
  /**
   * Sends a half message, runs the local transaction, and tells the broker its end one-way: should that get lost, the broker asks `check`.
   * An attempt whose outcome is unknown is not repeated: the half message could be there twice.
   * @throws as `send`: then the local transaction did not run. A delay level is refused, 4.9 brokers lose such messages
   */
  sendInTransaction(
    message: Message,
    execute: LocalTransactionExecutor,
    options?: TransactionOptions,
  ): Promise<TransactionSendResult>;
}

/** What a reply carries; where it goes is in the request. */
export type ReplyContent = Pick<Message, "body" | "tags" | "keys" | "properties" | "flag">;

/** A reply as who asked gets it. */
export interface Reply {
  readonly topic: string;
  /** Inflated when it was compressed. */
  readonly body: Buffer;
  readonly properties: ReadonlyMap<string, string>;
  readonly bornTimestamp: number;
  readonly storeTimestamp: number;
  readonly flag: number;
}
