/** Queues chosen by the sender (remoting-protocol 5.4: such a send is not retried elsewhere). Pure. */
import { EngineError } from "../../base/engine-error.ts";
import { javaStringHash } from "../../base/java-string-hash.ts";
import type { QueueSelector } from "../client-api.ts";
import { queueKey } from "../message-queues.ts";
import type { PublishQueue } from "./publish-queues.ts";

/**
 * All messages of one key go to one queue, the same that Java's SelectMessageQueueByHash chooses for the string.
 * @param key what must stay in order: an order number, an account
 */
export function selectByHash(key: string): QueueSelector {
  const hash = javaStringHash(key);
  return (queues) => {
    const chosen = queues[Math.abs(hash % queues.length)];
    if (chosen === undefined) throw new RangeError("a selector needs queues");
    return chosen;
  };
}

/** @returns where the selector's choice is served @throws EngineError MESSAGE_INVALID when it chose something else */
export function selected(queues: readonly PublishQueue[], select: QueueSelector): PublishQueue {
  const chosen = queueKey(select(queues.map(({ queue }) => queue)));
  const target = queues.find(({ queue }) => queueKey(queue) === chosen);
  if (target !== undefined) return target;
  throw new EngineError("MESSAGE_INVALID", {
    message: `the selector chose ${chosen}, which is none of the topic's queues`,
    hint: "return one of the queues the selector was given",
  });
}
