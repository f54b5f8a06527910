/** END_TRANSACTION as a client sends it (remoting-protocol 4.7). */
import type { RequestCommand } from "../../remoting/command.ts";
import { encodeHeader } from "../../remoting/command-spec.ts";
import { END_TRANSACTION, TRANSACTION_END } from "../../remoting/commands/transactions.ts";
import type { TransactionState } from "../producer-api.ts";

/** Which half message ended, and who says so. */
export interface TransactionEnd {
  readonly producerGroup: string;
  readonly state: Exclude<TransactionState, "unknown">;
  readonly halfOffset: number;
  readonly physicalOffset: number;
  readonly msgId: string;
  /** As the check said it; a send's own end has none, as Java's. */
  readonly transactionId?: string | undefined;
  readonly fromTransactionCheck: boolean;
}

/** @returns the one-way request */
export function endTransactionRequest(end: TransactionEnd): RequestCommand {
  const isCommit = end.state === "commit";
  const extFields = encodeHeader(END_TRANSACTION.request, {
    producerGroup: end.producerGroup,
    tranStateTableOffset: end.halfOffset,
    commitLogOffset: end.physicalOffset,
    commitOrRollback: isCommit ? TRANSACTION_END.COMMIT : TRANSACTION_END.ROLLBACK,
    fromTransactionCheck: end.fromTransactionCheck,
    msgId: end.msgId,
    transactionId: end.transactionId,
  });
  return { code: END_TRANSACTION.code, extFields };
}
