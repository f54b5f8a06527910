/** Tag expressions (remoting-protocol 4.2.7, 4.4.1). Pure. */
import { EngineError } from "../../base/engine-error.ts";
import { javaStringHash } from "../../base/java-string-hash.ts";
import type { SubscriptionBody } from "../../remoting/bodies/heartbeat.ts";
import { checkTopic } from "../names.ts";

const ALL = "*";

/**
 * @param topic what to read
 * @param expression `*`, empty, or tags separated by `||`
 * @param version grows with each change; ms since 1970 by custom
 * @throws EngineError MESSAGE_INVALID
 */
export function parseSubscription(
  topic: string,
  expression: string,
  version: number,
): SubscriptionBody {
  checkTopic(topic);
  const text = expression.trim();
  const isAll = text === ALL || text === "";
  const tags = isAll ? [] : text.split("||").map((tag) => tag.trim());
  const tagsSet = [...new Set(tags.filter((tag) => tag !== ""))];
  if (!isAll && tagsSet.length === 0) {
    throw new EngineError("MESSAGE_INVALID", {
      message: `"${expression}" names no tag`,
      hint: "write * for all messages, or tags like TagA || TagB",
    });
  }
  return {
    topic,
    subString: isAll ? ALL : text,
    tagsSet,
    codeSet: tagsSet.map(javaStringHash),
    subVersion: version,
    expressionType: "TAG",
    classFilterMode: false,
  };
}

/** The exact check behind the broker's check by hash. @returns true when the message is wanted */
export function matchesTags(subscription: SubscriptionBody, tags: string | undefined): boolean {
  if (subscription.tagsSet.length === 0) return true;
  return tags !== undefined && subscription.tagsSet.includes(tags);
}
