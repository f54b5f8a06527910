import { EngineError } from "./engine-error.ts";

/**
 * States what must hold; a failed assert is a bug in this code base, never bad input.
 * @param condition what must be true
 * @param message what was expected, for the person who reads the crash
 * @throws EngineError ASSERT_FAILED
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new EngineError("ASSERT_FAILED", { message });
}
