import { beforeEach, describe, expect, it } from "vitest";
import { HeldPulls, type HeldPull, type WakeReason } from "../../../../engine/broker/long-poll.ts";
import { internTopic } from "../../../../engine/message/topic-name.ts";
import type { Channel } from "../../../../engine/remoting/channel.ts";

const topic = internTopic("LongPollTopic");
const other = internTopic("LongPollOther");

/** As much of a channel as waiting needs. */
function fakeChannel(): Channel & { end(): void } {
  const listeners: (() => void)[] = [];
  const channel = {
    isOpen: true,
    onClose: (listener: () => void) => void listeners.push(listener),
    end() {
      channel.isOpen = false;
      for (const listener of listeners) listener();
    },
  };
  return channel as unknown as Channel & { end(): void };
}

describe("HeldPulls", () => {
  let clock = 0;
  let woken: { readonly pull: HeldPull; readonly reason: WakeReason }[] = [];
  let held: HeldPulls<HeldPull>;
  let channel: ReturnType<typeof fakeChannel>;

  const pullAt = (resumeOffset: number, queueId = 0): HeldPull => ({
    topic,
    queueId,
    channel,
    resumeOffset,
  });

  const advance = (ms: number): void => {
    clock += ms;
    held.tick();
  };

  beforeEach(() => {
    clock = 1_000_000;
    woken = [];
    channel = fakeChannel();
    held = new HeldPulls(
      () => clock,
      (pull, reason) => void woken.push({ pull, reason }),
    );
  });

  it("wakes on a message past the offset it waits for, and only there", () => {
    const pull = pullAt(5);
    held.hold(pull, clock + 15_000);
    held.arrived(other, 0, 9);
    held.arrived(topic, 1, 9);
    held.arrived(topic, 0, 5);
    expect(woken).toEqual([]);
    held.arrived(topic, 0, 6);
    expect(woken).toEqual([{ pull, reason: "arrival" }]);
    expect(held.size).toBe(0);
    held.arrived(topic, 0, 7);
    expect(woken).toHaveLength(1);
    held.stop();
  });

  it("wakes at its deadline, not before", () => {
    const pull = pullAt(0);
    held.hold(pull, clock + 15_000);
    advance(14_949);
    expect(woken).toEqual([]);
    advance(151);
    expect(woken).toEqual([{ pull, reason: "deadline" }]);
    held.stop();
  });

  it("wakes everybody once after a stall longer than the wheel", () => {
    for (let i = 0; i < 10; i += 1) held.hold(pullAt(i), clock + 1_000 * (i + 1));
    advance(10 * 60_000);
    expect(woken).toHaveLength(10);
    expect(held.size).toBe(0);
    held.stop();
  });

  it("a woken pull may be held again from inside the wake", () => {
    const again: WakeReason[] = [];
    held = new HeldPulls(
      () => clock,
      (pull, reason) => {
        again.push(reason);
        if (again.length === 1) held.hold(pull, clock + 1_000);
      },
    );
    held.hold(pullAt(0), clock + 5_000);
    held.arrived(topic, 0, 1);
    expect(again).toEqual(["arrival"]);
    expect(held.size).toBe(1);
    advance(1_050);
    expect(again).toEqual(["arrival", "deadline"]);
    held.stop();
  });

  it("F-28: forgets the pulls of a closed channel, and takes none from it", () => {
    held.hold(pullAt(0), clock + 1_000);
    held.hold(pullAt(0, 1), clock + 1_000);
    channel.end();
    expect(held.size).toBe(0);
    expect(held.hold(pullAt(0), clock + 1_000)).toBe(false);
    advance(2_000);
    expect(woken).toEqual([]);
    held.stop();
  });

  it("R-19: at most 5,000 a connection and 50,000 in all", () => {
    for (let i = 0; i < 5_000; i += 1) expect(held.hold(pullAt(0, i), clock + 60_000)).toBe(true);
    expect(held.hold(pullAt(0), clock + 60_000)).toBe(false);
    for (let n = 1; n < 10; n += 1) {
      channel = fakeChannel();
      for (let i = 0; i < 5_000; i += 1) held.hold(pullAt(0, i), clock + 60_000);
    }
    expect(held.size).toBe(50_000);
    channel = fakeChannel();
    expect(held.hold(pullAt(0), clock + 60_000)).toBe(false);
    held.stop();
    expect(held.size).toBe(0);
  });
});
