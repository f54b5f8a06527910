/** What a consumer wants of a topic: tags, or a SQL92 filter (remoting-protocol 4.2.7, 4.4.1). Pure. */
import { EngineError } from "../../base/engine-error.ts";
import { javaStringHash } from "../../base/java-string-hash.ts";
import type { SubscriptionBody } from "../../remoting/bodies/heartbeat.ts";
import type { MessageSelector } from "../client-api.ts";
import { checkTopic } from "../names.ts";

const ALL = "*";

/**
 * @param topic what to read
 * @param selector tags as text: `*`, empty, or names separated by `||`; or a selector
 * @param version grows with each change; ms since 1970 by custom
 * @throws EngineError MESSAGE_INVALID
 */
export function parseSubscription(
  topic: string,
  selector: string | MessageSelector,
  version: number,
): SubscriptionBody {
  checkTopic(topic);
  if (typeof selector === "string") return subscribeByTags(topic, selector, version);
  return selector.type === "TAG"
    ? subscribeByTags(topic, selector.expression, version)
    : subscribeBySql(topic, selector.expression, version);
}

/** The broker reads the filter: brokers' languages differ by version (5.0 knows more than 4.9). */
function subscribeBySql(topic: string, expression: string, version: number): SubscriptionBody {
  if (expression.trim() === "") {
    throw new EngineError("MESSAGE_INVALID", {
      message: `the SQL92 filter for topic ${topic} is empty`,
      hint: "write a condition on message properties, like: region = 'eu' AND amount > 10",
    });
  }
  return {
    topic,
    subString: expression,
    tagsSet: [],
    codeSet: [],
    subVersion: version,
    expressionType: "SQL92",
    classFilterMode: false,
  };
}

function subscribeByTags(topic: string, expression: string, version: number): SubscriptionBody {
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
