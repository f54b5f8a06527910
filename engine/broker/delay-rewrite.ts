/** The one place that turns a message with a delay level into one that waits (store-and-ha 6.1, remoting-protocol 4.1.8). */
import { SCHEDULE_TOPIC } from "./names.ts";

/** Where a message goes and what it says of itself. */
export interface Destination {
  readonly topic: string;
  readonly queueId: number;
  readonly properties: ReadonlyMap<string, string>;
}

/** Transaction bits of sysFlag: a message waits only when they say none or commit. */
const TRANSACTION_BITS = 0xc;
const TRANSACTION_COMMIT = 0x8;

/**
 * @param text value of the property DELAY, undefined when absent
 * @returns 0 for none, the level, or NaN when it is no number
 */
export function delayLevelOf(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  return /^-?\d{1,9}$/.test(text) ? Math.max(0, Number(text)) : Number.NaN;
}

/** @returns how many levels `messageDelayLevel` names */
export function delayLevelCount(messageDelayLevel: string): number {
  return messageDelayLevel.trim().split(/\s+/).length;
}

/**
 * @param message where it is meant to go
 * @param sysFlag of the message
 * @param levelMax highest level there is; above it counts as this one
 * @returns the same destination, or the schedule topic with REAL_TOPIC and REAL_QID set (overwriting what a client put there, R-10) and
 *   DELAY at most the highest level, as 4.9 stores it
 */
export function rewriteDelayed(
  message: Destination,
  sysFlag: number,
  levelMax: number,
): Destination {
  const transaction = sysFlag & TRANSACTION_BITS;
  const level = delayLevelOf(message.properties.get("DELAY"));
  const waits = level > 0 && (transaction === 0 || transaction === TRANSACTION_COMMIT);
  if (!waits) return message;
  const properties = new Map(message.properties);
  if (level > levelMax) properties.set("DELAY", String(levelMax));
  properties.set("REAL_TOPIC", message.topic);
  properties.set("REAL_QID", String(message.queueId));
  return { topic: SCHEDULE_TOPIC, queueId: Math.min(level, levelMax) - 1, properties };
}
