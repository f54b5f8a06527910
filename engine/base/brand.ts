import { EngineError } from "./engine-error.ts";

declare const brand: unique symbol;

/** A number or string that only a checking constructor can make. */
export type Brand<Value, Name extends string> = Value & { readonly [brand]: Name };

/** Absolute byte offset in the endless commit log. */
export type PhysicalOffset = Brand<number, "PhysicalOffset">;

/** Index of a message inside one topic-queue (a unit number, not bytes). */
export type QueueOffset = Brand<number, "QueueOffset">;

function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Apart, so that the message is made only when there is something to say: offsets are branded on the message path. */
function refuse(what: string, value: number): never {
  throw new EngineError("ASSERT_FAILED", {
    message: `${what} ${value} is not a safe non-negative integer`,
  });
}

/**
 * @param value bytes from the start of the commit log
 * @returns the same number, branded
 * @throws EngineError ASSERT_FAILED when it is no safe, non-negative integer
 */
export function physicalOffset(value: number): PhysicalOffset {
  if (!isOffset(value)) refuse("physical offset", value);
  return value as PhysicalOffset;
}

/**
 * @param value messages from the start of the queue
 * @returns the same number, branded
 * @throws EngineError ASSERT_FAILED when it is no safe, non-negative integer
 */
export function queueOffset(value: number): QueueOffset {
  if (!isOffset(value)) refuse("queue offset", value);
  return value as QueueOffset;
}
