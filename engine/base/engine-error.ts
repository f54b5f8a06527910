import type { ErrorCode } from "./error-codes.ts";

/** What an EngineError carries besides its code. */
export interface EngineErrorDetail {
  /** What happened and why, one sentence, with the value that was wrong. */
  readonly message: string;
  /** What the person who reads it can do next. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Every error this project raises on purpose: a stable code, what happened, what to do. */
export class EngineError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  /**
   * @param code one of the stable codes of error-codes.ts
   * @param detail message, hint and cause
   */
  constructor(code: ErrorCode, detail: EngineErrorDetail) {
    super(detail.message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "EngineError";
    this.code = code;
    this.hint = detail.hint;
  }
}
