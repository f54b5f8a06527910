/** What is known of a send that failed, and whether to try again (remoting-protocol 5.4, faults-and-security 1 and 11). Pure. */
import { EngineError } from "../../base/engine-error.ts";
import type { ErrorCode } from "../../base/error-codes.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { FailedAttempt, SendOutcome } from "../client-api.ts";
import { RefusedError } from "../request.ts";

const NO_BUYER_ID = 204;
const NOT_IN_CURRENT_UNIT = 205;

/** Refusals another broker may not repeat (5.4). */
const RETRIED_CODES: ReadonlySet<number> = new Set([
  RESPONSE_CODE.TOPIC_NOT_EXIST,
  RESPONSE_CODE.SERVICE_NOT_AVAILABLE,
  RESPONSE_CODE.SYSTEM_ERROR,
  RESPONSE_CODE.NO_PERMISSION,
  NO_BUYER_ID,
  NOT_IN_CURRENT_UNIT,
]);

/** Codes every broker answers before it stores anything. */
const REFUSED_BEFORE_APPEND: ReadonlySet<number> = new Set([
  RESPONSE_CODE.SYSTEM_BUSY,
  RESPONSE_CODE.MESSAGE_ILLEGAL,
  RESPONSE_CODE.SERVICE_NOT_AVAILABLE,
  RESPONSE_CODE.NO_PERMISSION,
  RESPONSE_CODE.TOPIC_NOT_EXIST,
]);

const NOTHING_SENT: ReadonlySet<ErrorCode> = new Set([
  "CLIENT_CLOSED",
  "CLIENT_NO_ROUTE",
  "MESSAGE_INVALID",
  "REMOTING_CONNECT_FAILED",
] as const);

/** Ends of an attempt that another broker may not repeat. */
const NO_ANSWER: ReadonlySet<ErrorCode> = new Set([
  "REMOTING_CONNECTION_CLOSED",
  "REMOTING_CONNECT_FAILED",
  "REMOTING_TIMEOUT",
] as const);

/** @returns true when another attempt may help: no answer, or one of the codes that are retried */
export function isRetried(error: EngineError): boolean {
  if (error instanceof RefusedError) return RETRIED_CODES.has(error.responseCode);
  return NO_ANSWER.has(error.code);
}

/**
 * @param trustRefusals the broker promises A-01: whatever it refuses is not stored
 * @returns what is known of one attempt
 */
export function attemptOutcome(error: EngineError, trustRefusals: boolean): SendOutcome {
  if (error instanceof RefusedError) {
    const isDefinite = trustRefusals || REFUSED_BEFORE_APPEND.has(error.responseCode);
    return isDefinite ? "not-stored" : "unknown";
  }
  return NOTHING_SENT.has(error.code) ? "not-stored" : "unknown";
}

/** A send that reached no success. One unknown attempt makes the whole send unknown. */
export class SendFailedError extends EngineError {
  readonly outcome: SendOutcome;
  readonly attempts: readonly FailedAttempt[];
  /** Of the refusal that ended it, when it was one. */
  readonly responseCode: number | undefined;

  /** @param attempts in order @param last why no further attempt was made */
  constructor(attempts: readonly FailedAttempt[], last: EngineError) {
    const decisive = attempts.find((attempt) => attempt.outcome === "unknown")?.error ?? last;
    const tries = attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts`;
    const doubt =
      decisive === last ? "" : `; an earlier attempt's outcome is unknown: ${decisive.message}`;
    const hint = last.hint;
    super(decisive.code, {
      message: `send failed after ${tries}: ${last.message}${doubt}`,
      ...(hint === undefined ? {} : { hint }),
      cause: last,
    });
    this.attempts = attempts;
    this.outcome = attempts.some((attempt) => attempt.outcome === "unknown")
      ? "unknown"
      : "not-stored";
    this.responseCode = last instanceof RefusedError ? last.responseCode : undefined;
  }
}

/**
 * @param error whatever a producer's method rejected with
 * @returns whether the message is surely not stored; anything not proven is unknown
 */
export function sendOutcomeOf(error: unknown): SendOutcome {
  if (error instanceof SendFailedError) return error.outcome;
  return error instanceof EngineError && NOTHING_SENT.has(error.code) ? "not-stored" : "unknown";
}
