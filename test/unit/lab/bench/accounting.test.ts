import { describe, expect, it } from "vitest";
import { EngineError } from "../../../../engine/base/engine-error.ts";
import { Ledger } from "../../../../lab/bench/ledger.ts";
import { BodyFactory } from "../../../../lab/bench/message-body.ts";
import {
  OutcomeCounter,
  outcomeOfError,
  type OutcomeCounts,
} from "../../../../lab/bench/outcome.ts";
import { verifyByConsumers, verifyByOffsets } from "../../../../lab/bench/verify.ts";

function counts(ok: number, weak: number, unknown: number, handed = 0): OutcomeCounts {
  const counter = new OutcomeCounter();
  for (let i = 0; i < ok; i += 1) counter.add("SEND_OK");
  for (let i = 0; i < weak; i += 1) counter.add("SLAVE_NOT_AVAILABLE");
  for (let i = 0; i < unknown; i += 1) counter.add("UNKNOWN");
  for (let i = 0; i < handed; i += 1) counter.add("HANDED");
  return counter.read();
}

describe("outcomes", () => {
  it("A-03: a time-out and a lost connection are unknown, a failed connect and a missing route are failures", () => {
    const outcome = (code: ConstructorParameters<typeof EngineError>[0]): string =>
      outcomeOfError(new EngineError(code, { message: "" }));
    expect(outcome("REMOTING_TIMEOUT")).toBe("UNKNOWN");
    expect(outcome("REMOTING_CONNECTION_CLOSED")).toBe("UNKNOWN");
    expect(outcome("REMOTING_CONNECT_FAILED")).toBe("FAILED");
    expect(outcome("CLIENT_NO_ROUTE")).toBe("FAILED");
    expect(outcomeOfError(new Error("anything else"))).toBe("UNKNOWN");
  });
});

describe("balance by offsets", () => {
  it("is complete when the queues grew by what was acknowledged, weakly or in full", () => {
    expect(verifyByOffsets(counts(90, 10, 0), 100)).toMatchObject({ verdict: "complete", lost: 0 });
  });

  it("allows for each unknown outcome either way, and for nothing more", () => {
    const sent = counts(90, 0, 10);
    expect(verifyByOffsets(sent, 90).verdict).toBe("complete");
    expect(verifyByOffsets(sent, 100).verdict).toBe("complete");
    expect(verifyByOffsets(sent, 89)).toMatchObject({ verdict: "lost", lost: 1 });
    expect(verifyByOffsets(sent, 101)).toMatchObject({ verdict: "unexpected", unexpected: 1 });
  });

  it("promises nothing for one-way sends", () => {
    expect(verifyByOffsets(counts(0, 0, 0, 50), 20).verdict).toBe("complete");
  });
});

describe("balance by consumers", () => {
  it("tells lost, duplicated, recovered and unexpected messages apart", () => {
    const ledger = new Ledger(2);
    ledger.sent(0, 0, "SEND_OK");
    ledger.sent(0, 1, "SEND_OK");
    ledger.sent(1, 0, "SLAVE_NOT_AVAILABLE");
    ledger.sent(1, 1, "UNKNOWN");
    ledger.sent(1, 2, "UNKNOWN");
    ledger.arrived(0, 0);
    ledger.arrived(0, 0);
    ledger.arrived(1, 1);
    ledger.arrived(1, 7);
    ledger.arrived(9, 0);
    expect(ledger.counts()).toEqual({
      received: 2,
      duplicates: 1,
      lostOk: 1,
      lostWeak: 1,
      recovered: 1,
      unexpected: 2,
    });
  });

  it("knows a message that arrives before its send has ended", () => {
    const ledger = new Ledger(1);
    ledger.arrived(0, 100_000);
    ledger.sent(0, 100_000, "SEND_OK");
    expect(ledger.counts()).toMatchObject({ received: 1, lostOk: 0, unexpected: 0 });
  });

  it("says unknown, not lost, while the consumers were still reading", () => {
    const ledger = new Ledger(1);
    ledger.sent(0, 0, "SEND_OK");
    expect(verifyByConsumers(counts(1, 0, 0), ledger.counts(), false).verdict).toBe("unknown");
    expect(verifyByConsumers(counts(1, 0, 0), ledger.counts(), true)).toMatchObject({
      verdict: "lost",
      lost: 1,
    });
  });
});

describe("bench bodies", () => {
  it("are recognised by their own run only", () => {
    const run = new BodyFactory(64);
    const other = new BodyFactory(64);
    const body = run.make(3, 4_000_000_000);
    expect(body).toHaveLength(64);
    expect(run.read(body)).toEqual({ producer: 3, sequence: 4_000_000_000 });
    expect(other.read(body)).toBeNull();
    expect(run.read(Buffer.from("probe"))).toBeNull();
  });

  it("may be as small as 16 bytes", () => {
    const run = new BodyFactory(16);
    expect(run.read(run.make(1, 2))).toEqual({ producer: 1, sequence: 2 });
  });
});
