import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { closedSchedule, openSchedule } from "../../../../lab/bench/schedule.ts";
import { LoadBook, sendLoad, type Send } from "../../../../lab/bench/send-load.ts";

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

function spanOf(milliseconds: number): Span {
  const startMs = performance.now();
  return { startMs, endMs: startMs + milliseconds };
}

function bookFor(span: Span): LoadBook {
  return new LoadBook({ measureFromMs: span.startMs, endMs: span.endMs });
}

/** A server that answers at once, but stands still for 100 ms once. */
function stallingServer(stallFromMs: number): Send {
  return async () => {
    const left = stallFromMs + 100 - performance.now();
    if (performance.now() >= stallFromMs && left > 0) await sleep(left);
    return "SEND_OK";
  };
}

describe("sendLoad", () => {
  it("shows a planted 100 ms stall in the response time's tail although one sender met it only once", async () => {
    const span = spanOf(1_000);
    const book = bookFor(span);
    const schedule = openSchedule(span, 200);
    await sendLoad(1, { schedule, book, send: stallingServer(span.startMs + 300) });
    const figures = book.figures();
    expect(figures.counts.ok).toBe(200);
    // 20 of 200 sends were due during the stall: a tenth of them, so p95 must show about half the stall.
    expect(figures.response.p95).toBeGreaterThan(40_000);
    expect(figures.response.max).toBeGreaterThan(90_000);
    // The same run by actual send time: the coordinated omission that hides it.
    expect(figures.service.p95).toBeLessThan(20_000);
    expect(figures.waitedForSender).toBeGreaterThan(10);
  });

  it("counts each send exactly once, by its outcome", async () => {
    const span = spanOf(60_000);
    const book = bookFor(span);
    const outcomes = [
      "SEND_OK",
      "SLAVE_NOT_AVAILABLE",
      "UNKNOWN",
      "FAILED",
      "FLUSH_DISK_TIMEOUT",
    ] as const;
    const schedule = closedSchedule(span);
    let sent = 0;
    await sendLoad(1, {
      schedule,
      book,
      send: () => {
        const outcome = outcomes[sent % outcomes.length] ?? "UNKNOWN";
        sent += 1;
        if (sent === 10) schedule.stop();
        return Promise.resolve(outcome);
      },
    });
    expect(book.totals()).toEqual({
      attempted: 10,
      ok: 2,
      weak: { SLAVE_NOT_AVAILABLE: 2, FLUSH_DISK_TIMEOUT: 2, FLUSH_SLAVE_TIMEOUT: 0 },
      failed: 2,
      unknown: 2,
      handed: 0,
    });
    // Only answered sends have a latency.
    expect(book.figures().service.count).toBe(6);
  });

  it("leaves the warm-up out of the figures but not out of the totals", async () => {
    const span = spanOf(200);
    const book = new LoadBook({ measureFromMs: span.startMs + 100, endMs: span.endMs });
    const schedule = openSchedule(span, 100);
    await sendLoad(2, { schedule, book, send: () => Promise.resolve("SEND_OK") });
    expect(book.totals().ok).toBe(20);
    expect(book.figures().counts.ok).toBe(10);
    expect(book.figures().response.count).toBe(10);
  });

  it("puts due sends that never went out into the response time", async () => {
    const span = spanOf(300);
    const book = bookFor(span);
    const schedule = openSchedule(span, 100);
    setTimeout(() => schedule.stop(), 200);
    await sendLoad(1, {
      schedule,
      book,
      send: async () => {
        await sleep(250);
        return "SEND_OK";
      },
    });
    const figures = book.figures();
    expect(figures.counts.ok).toBe(1);
    expect(figures.unsent).toBeGreaterThan(15);
    expect(figures.response.count).toBe(1 + figures.unsent);
  });

  it("keeps no more sends in flight than it has lanes", async () => {
    const span = spanOf(100);
    let inFlight = 0;
    let most = 0;
    await sendLoad(3, {
      schedule: closedSchedule(span),
      book: bookFor(span),
      send: async () => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await sleep(2);
        inFlight -= 1;
        return "SEND_OK";
      },
    });
    expect(most).toBe(3);
  });

  it("does not ask a cluster that refuses in a tight loop", async () => {
    const span = spanOf(100);
    const book = bookFor(span);
    await sendLoad(1, {
      schedule: closedSchedule(span),
      book,
      send: () => Promise.resolve("FAILED"),
    });
    expect(book.totals().failed).toBeLessThan(10);
  });
});
