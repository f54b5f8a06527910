/** Names a client accepts (remoting-protocol 4.0). */
import { EngineError } from "../base/engine-error.ts";

const ALLOWED = /^[%|a-zA-Z0-9_-]+$/;
const TOPIC_CHARACTERS_MAX = 127;
const GROUP_CHARACTERS_MAX = 255;

/** Topic whose queues stand in for those of a topic that does not exist yet (4.1.5). */
export const TEMPLATE_TOPIC = "TBW102";
/** Group of messages a client sends on its own behalf (4.6). */
export const INNER_PRODUCER_GROUP = "CLIENT_INNER_PRODUCER";
const RETRY_PREFIX = "%RETRY%";

function check(kind: string, name: string, charactersMax: number): void {
  if (name.length > 0 && name.length <= charactersMax && ALLOWED.test(name)) return;
  throw new EngineError("MESSAGE_INVALID", {
    message: `"${name.slice(0, 140)}" is no valid ${kind} name`,
    hint: `use 1 to ${charactersMax} of the characters a-z A-Z 0-9 _ - % |`,
  });
}

/** @throws EngineError MESSAGE_INVALID */
export function checkTopic(topic: string): void {
  check("topic", topic, TOPIC_CHARACTERS_MAX);
}

/** @throws EngineError MESSAGE_INVALID */
export function checkGroup(group: string): void {
  check("group", group, GROUP_CHARACTERS_MAX);
}

/** @returns the topic that holds what a group must get again */
export function retryTopic(group: string): string {
  return RETRY_PREFIX + group;
}

/** @returns true for the retry topic of any group */
export function isRetryTopic(topic: string): boolean {
  return topic.startsWith(RETRY_PREFIX);
}
