/**
 * END_TRANSACTION (37): a producer says what became of its half message (remoting-protocol 4.7, R-25). RESUME_CHECK_HALF_MESSAGE (323): an operator
 * has one asked about again that was given up.
 */
import { parseOffsetMessageId } from "../../message/message-id.ts";
import { decodeHeader, type HeaderOf } from "../../remoting/command-spec.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import {
  END_TRANSACTION,
  RESUME_CHECK_HALF_MESSAGE,
  TRANSACTION_END,
} from "../../remoting/commands/transactions.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";
import { CHECK_MAX_TOPIC } from "../names.ts";
import { isStored } from "../put-internal.ts";
import { refusalOfStatus } from "../send-checks.ts";
import { readStoredMessage, storedTopic } from "../stored-message.ts";
import { halfCopy, HalfMessage } from "../transactions/half-message.ts";
import type { OpenTransactions, TransactionOutcome } from "../transactions/open-transactions.ts";

type EndHeader = HeaderOf<typeof END_TRANSACTION.request>;

const SLAVE: ResponseCommand = {
  code: RESPONSE_CODE.SLAVE_NOT_AVAILABLE,
  remark: "Transaction message is not supported on a slave: ask its master",
};

function failure(remark: string): ResponseCommand {
  return { code: RESPONSE_CODE.SYSTEM_ERROR, remark };
}

/** Why an end does not belong to a half message, or null. */
function mismatch(half: HalfMessage, header: EndHeader): string | null {
  if (half.group !== header.producerGroup) return "The producer group wrong";
  if (half.offset !== header.tranStateTableOffset)
    return "The transaction state table offset wrong";
  const { transactionId = "" } = header;
  const isOther =
    transactionId !== "" && half.uniqueKey !== undefined && transactionId !== half.uniqueKey;
  return isOther ? "The transaction id wrong" : null;
}

function answerOf(outcome: TransactionOutcome): ResponseCommand {
  switch (outcome.kind) {
    case "ended":
      return { code: RESPONSE_CODE.SUCCESS };
    case "over":
      return {
        code: RESPONSE_CODE.SUCCESS,
        remark: "the transaction had ended before; nothing was done",
      };
    case "refused":
      return refusalOfStatus(outcome.status);
    case "nowhere":
      return failure("the half message names no topic and queue it could go to");
  }
}

/** @returns the processor for code 37; the answer waits until the end is as safe as the broker's mode promises */
export function createEndTransactionProcessor(open: OpenTransactions): Processor {
  const { context } = open;
  return async (request) => {
    if (context.isSlave) return SLAVE;
    const header = decodeHeader(END_TRANSACTION.request, request.extFields);
    const { commitOrRollback } = header;
    const isCommit = commitOrRollback === TRANSACTION_END.COMMIT;
    // The producer does not know either: it will be asked again, and 4.9 does not answer this.
    if (commitOrRollback === TRANSACTION_END.UNKNOWN) return null;
    if (!isCommit && commitOrRollback !== TRANSACTION_END.ROLLBACK)
      return failure(`commitOrRollback is 0, 8 or 12, not ${commitOrRollback}`);
    const half = HalfMessage.of(readStoredMessage(context.store, header.commitLogOffset));
    if (half === null) return failure("The commit log offset wrong: no half message stands there");
    const problem = mismatch(half, header);
    if (problem !== null) return failure(problem);
    const outcome = await open.end(half, isCommit);
    if (outcome.kind === "nowhere" || outcome.kind === "refused") {
      const { group, uniqueKey: transactionId } = half;
      context.logger.error("a transaction could not be ended", {
        group,
        transactionId,
        ...outcome,
      });
    }
    return answerOf(outcome);
  };
}

/** @returns the processor for code 323 */
export function createResumeCheckProcessor(context: BrokerContext): Processor {
  return async (request) => {
    if (context.isSlave) return SLAVE;
    const { msgId = "" } = decodeHeader(RESUME_CHECK_HALF_MESSAGE.request, request.extFields);
    const { physicalOffset } = parseOffsetMessageId(msgId);
    const stored = readStoredMessage(context.store, physicalOffset);
    if (stored === null || storedTopic(stored) !== CHECK_MAX_TOPIC) {
      return failure(`no message of ${CHECK_MAX_TOPIC} stands at ${physicalOffset}`);
    }
    const result = await context.putInternal(halfCopy(stored, 0));
    return isStored(result) ? { code: RESPONSE_CODE.SUCCESS } : refusalOfStatus(result.status);
  };
}
