import { opt, req, type CommandSpec, type HeaderOf } from "../command-spec.ts";
import { REQUEST_CODE } from "../request-codes.ts";

/** sysFlag bits of a pull (remoting-protocol 4.2.1). */
export const PULL_FLAG = {
  COMMIT_OFFSET: 1,
  SUSPEND: 2,
  SUBSCRIPTION: 4,
  CLASS_FILTER: 8,
  LITE_PULL: 16,
} as const;

export const PULL_MESSAGE = {
  code: REQUEST_CODE.PULL_MESSAGE,
  name: "PULL_MESSAGE",
  request: {
    consumerGroup: req("string"),
    topic: req("string"),
    queueId: req("i32"),
    queueOffset: req("i64"),
    maxMsgNums: req("i32"),
    sysFlag: req("i32"),
    commitOffset: req("i64"),
    suspendTimeoutMillis: req("i64"),
    subscription: opt("string"),
    subVersion: req("i64"),
    expressionType: opt("string"),
  },
  response: {
    suggestWhichBrokerId: opt("i64"),
    nextBeginOffset: opt("i64"),
    minOffset: opt("i64"),
    maxOffset: opt("i64"),
  },
} as const satisfies CommandSpec;

export type PullMessageHeader = HeaderOf<typeof PULL_MESSAGE.request>;
