/** Transactions: how they end, and how a broker asks (remoting-protocol 4.7). */
import { opt, req, type CommandSpec } from "../command-spec.ts";
import { REQUEST_CODE } from "../request-codes.ts";

/** Values of `commitOrRollback`: the transaction bits of sysFlag. */
export const TRANSACTION_END = { UNKNOWN: 0, COMMIT: 0x8, ROLLBACK: 0xc } as const;

/** Producer to broker, mostly one-way. */
export const END_TRANSACTION = {
  code: REQUEST_CODE.END_TRANSACTION,
  name: "END_TRANSACTION",
  request: {
    producerGroup: req("string"),
    /** Offset of the half message in its queue. */
    tranStateTableOffset: req("i64"),
    /** Physical offset of the half message. */
    commitLogOffset: req("i64"),
    commitOrRollback: req("i32"),
    fromTransactionCheck: opt("bool"),
    msgId: opt("string"),
    transactionId: opt("string"),
  },
  response: {},
} as const satisfies CommandSpec;

/** Broker to producer, one-way; the body is the half message as a record of its real topic. */
export const CHECK_TRANSACTION_STATE = {
  code: REQUEST_CODE.CHECK_TRANSACTION_STATE,
  name: "CHECK_TRANSACTION_STATE",
  request: {
    tranStateTableOffset: req("i64"),
    commitLogOffset: req("i64"),
    msgId: opt("string"),
    transactionId: opt("string"),
    offsetMsgId: opt("string"),
  },
  response: {},
} as const satisfies CommandSpec;

/** An operator has a half message checked again that was given up (admin-protocol B.1, 323). */
export const RESUME_CHECK_HALF_MESSAGE = {
  code: REQUEST_CODE.RESUME_CHECK_HALF_MESSAGE,
  name: "RESUME_CHECK_HALF_MESSAGE",
  request: { msgId: opt("string") },
  response: {},
} as const satisfies CommandSpec;
