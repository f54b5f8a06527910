import { describe, expect, it } from "vitest";
import { EngineError } from "../../../../../engine/base/engine-error.ts";
import type { ErrorCode } from "../../../../../engine/base/error-codes.ts";
import {
  attemptOutcome,
  isRetried,
  SendFailedError,
  sendOutcomeOf,
} from "../../../../../engine/client/producer/outcome.ts";
import type { FailedAttempt } from "../../../../../engine/client/client-api.ts";
import { RefusedError } from "../../../../../engine/client/request.ts";

function refusal(code: number): RefusedError {
  return new RefusedError("b:1", "a send", {
    code,
    language: 0,
    version: 393,
    opaque: 1,
    flag: 1,
    remark: "why",
    extFields: new Map(),
    body: null,
    serializeType: 0,
  });
}

function failure(code: ErrorCode): EngineError {
  return new EngineError(code, { message: code });
}

function attempt(error: EngineError, trust = true): FailedAttempt {
  const queue = { topic: "T", brokerName: "b", queueId: 0 };
  return { queue, address: "b:1", outcome: attemptOutcome(error, trust), error };
}

describe("retry rules (remoting-protocol 5.4)", () => {
  it.each([1, 14, 16, 17, 204, 205])("code %i is tried elsewhere", (code) => {
    expect(isRetried(refusal(code))).toBe(true);
  });

  it.each([2, 3, 13, 26, 23, 215])("code %i ends the send", (code) => {
    expect(isRetried(refusal(code))).toBe(false);
  });

  it.each(["REMOTING_CONNECT_FAILED", "REMOTING_TIMEOUT", "REMOTING_CONNECTION_CLOSED"] as const)(
    "%s is tried elsewhere",
    (code) => expect(isRetried(failure(code))).toBe(true),
  );

  it("a stored message with a broken answer is not sent again", () => {
    expect(isRetried(failure("REMOTING_HEADER_INVALID"))).toBe(false);
    expect(attemptOutcome(failure("REMOTING_HEADER_INVALID"), true)).toBe("unknown");
  });
});

describe("outcome of an attempt (faults-and-security 11)", () => {
  it("is surely not stored when no byte was sent", () => {
    expect(attemptOutcome(failure("REMOTING_CONNECT_FAILED"), false)).toBe("not-stored");
  });

  it.each(["REMOTING_TIMEOUT", "REMOTING_CONNECTION_CLOSED"] as const)(
    "is unknown on %s",
    (code) => {
      expect(attemptOutcome(failure(code), true)).toBe("unknown");
    },
  );

  it("A-01: any refusal of our engine is definite; of another broker only those before append", () => {
    const definite = (trust: boolean): number[] =>
      [1, 2, 3, 13, 14, 16, 17, 26].filter(
        (code) => attemptOutcome(refusal(code), trust) === "not-stored",
      );
    expect(definite(true)).toEqual([1, 2, 3, 13, 14, 16, 17, 26]);
    expect(definite(false)).toEqual([2, 13, 14, 16, 17]);
  });
});

describe("outcome of a send", () => {
  it("is unknown when one attempt's is, whatever came after it", () => {
    const timeout = failure("REMOTING_TIMEOUT");
    const refused = refusal(14);
    const error = new SendFailedError([attempt(timeout), attempt(refused)], refused);
    expect([error.outcome, error.code, error.responseCode]).toEqual([
      "unknown",
      "REMOTING_TIMEOUT",
      14,
    ]);
    expect(error.message).toContain("earlier attempt's outcome is unknown");
    expect(sendOutcomeOf(error)).toBe("unknown");
  });

  it("is definite when all attempts are, with the last one's code", () => {
    const error = new SendFailedError(
      [attempt(failure("REMOTING_CONNECT_FAILED")), attempt(refusal(16))],
      refusal(16),
    );
    expect([error.outcome, error.code]).toEqual(["not-stored", "CLIENT_BROKER_REFUSED"]);
  });

  it("of an error nobody knows is unknown", () => {
    expect(sendOutcomeOf(new Error("?"))).toBe("unknown");
    expect(sendOutcomeOf(failure("MESSAGE_INVALID"))).toBe("not-stored");
  });
});
