/** C-01: progress is kept when the log behind it is flushed and copied, and not a moment earlier. */
import { describe, expect, it } from "vitest";
import { SafeProgress, type FollowingSlave } from "../../../../engine/broker/safe-progress.ts";

function setting(slaves: FollowingSlave[] = []) {
  const log = { writtenOffset: 0, flushedOffset: 0 };
  return { log, slaves, progress: new SafeProgress<string>(log, () => slaves) };
}

describe("progress that must not run ahead", () => {
  it("is safe at once when everything is flushed", () => {
    const { log, progress } = setting();
    log.writtenOffset = 100;
    log.flushedOffset = 100;
    expect(progress.offer("a")).toBe("a");
  });

  it("waits for the flush of what was written when it was offered; what came later waits in turn", () => {
    const { log, progress } = setting();
    log.writtenOffset = 100;
    expect(progress.offer("a")).toBeNull();
    log.writtenOffset = 200;
    expect(progress.offer("b")).toBeNull();
    log.flushedOffset = 150;
    expect(progress.offer("c")).toBe("a");
    log.flushedOffset = 199;
    expect(progress.offer("d")).toBeNull();
    log.flushedOffset = 200;
    expect(progress.offer("e")).toBe("e");
  });

  it("waits for every connected slave, but for none that cannot follow any more", () => {
    const slaves = [
      { ackedOffset: 50, isBehindMinimum: false },
      { ackedOffset: -1, isBehindMinimum: true },
    ];
    const { log, progress } = setting(slaves);
    log.writtenOffset = 100;
    log.flushedOffset = 100;
    expect(progress.offer("a")).toBeNull();
    slaves[0] = { ackedOffset: 99, isBehindMinimum: false };
    expect(progress.offer("a")).toBeNull();
    slaves[0] = { ackedOffset: 100, isBehindMinimum: false };
    expect(progress.offer("b")).toBe("b");
  });

  it("does not wait for a slave that has gone", () => {
    const slaves = [{ ackedOffset: 0, isBehindMinimum: false }];
    const { log, progress } = setting(slaves);
    log.writtenOffset = 10;
    log.flushedOffset = 10;
    expect(progress.offer("a")).toBeNull();
    slaves.pop();
    expect(progress.offer("b")).toBe("b");
  });
});
