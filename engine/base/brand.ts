import { assert } from "./assert.ts";

declare const brand: unique symbol;

/** A number or string that only a checking constructor can make. */
export type Brand<Value, Name extends string> = Value & { readonly [brand]: Name };

/** Absolute byte offset in the endless commit log. */
export type PhysicalOffset = Brand<number, "PhysicalOffset">;

/** Index of a message inside one topic-queue (a unit number, not bytes). */
export type QueueOffset = Brand<number, "QueueOffset">;

/**
 * @param value bytes from the start of the commit log
 * @returns the same number, branded
 * @throws EngineError ASSERT_FAILED when it is no safe, non-negative integer
 */
export function physicalOffset(value: number): PhysicalOffset {
  assert(
    Number.isSafeInteger(value) && value >= 0,
    `physical offset ${value} is not a safe non-negative integer`,
  );
  return value as PhysicalOffset;
}

/**
 * @param value messages from the start of the queue
 * @returns the same number, branded
 * @throws EngineError ASSERT_FAILED when it is no safe, non-negative integer
 */
export function queueOffset(value: number): QueueOffset {
  assert(
    Number.isSafeInteger(value) && value >= 0,
    `queue offset ${value} is not a safe non-negative integer`,
  );
  return value as QueueOffset;
}
