/** What both kinds of consumers make of their options. */
import type { ConsumeFromWhere } from "../../remoting/bodies/heartbeat.ts";
import type { Allocate, PushConsumerOptions } from "../client-api.ts";
import { allocateAverage, allocateByCircle, allocateConsistentHash } from "./allocate.ts";
import type { ConsumeFrom } from "./first-offset.ts";

/** @returns the name brokers know it by */
export function consumeFromWhere(from: ConsumeFrom): ConsumeFromWhere {
  if (from === "first") return "CONSUME_FROM_FIRST_OFFSET";
  return from === "last" ? "CONSUME_FROM_LAST_OFFSET" : "CONSUME_FROM_TIMESTAMP";
}

/** @returns the strategy of a name, or the caller's own */
export function strategyOf(wanted: PushConsumerOptions["allocate"]): Allocate {
  if (typeof wanted === "function") return wanted;
  if (wanted === "average-by-circle") return allocateByCircle;
  return wanted === "consistent-hash" ? allocateConsistentHash() : allocateAverage;
}
