/**
 * Pulls that found nothing and wait (remoting-protocol 4.2.5; RocketMQ's PullRequestHoldService). Parked by topic and queue, woken when a message
 * of that queue becomes visible or when their time is up; one wheel keeps all deadlines (engine-performance 7).
 */
import type { TopicName } from "../message/topic-name.ts";
import type { Channel } from "../remoting/channel.ts";

/** L-07, R-19. */
const HELD_MAX = 50_000;
const HELD_PER_CHANNEL_MAX = 5_000;

const SLOT_MS = 50;
/** More than the longest hold (60 s, R-19) divided by SLOT_MS. */
const SLOTS = 2_048;

/** A parked pull, as far as waiting is concerned. */
export interface HeldPull {
  readonly topic: TopicName;
  readonly queueId: number;
  readonly channel: Channel;
  /** First offset it has not seen: it wakes when the queue's end is past it. */
  resumeOffset: number;
}

/** Why a pull was woken. */
export type WakeReason = "arrival" | "deadline";

interface Place<Pull> {
  readonly slot: Set<Pull>;
  readonly queue: Set<Pull>;
}

/** All parked pulls of a broker. */
export class HeldPulls<Pull extends HeldPull> {
  private readonly now: () => number;
  private readonly wake: (pull: Pull, reason: WakeReason) => void;
  private readonly slots: Set<Pull>[] = Array.from({ length: SLOTS }, () => new Set());
  /** By topic id, then queue id. */
  private readonly queues: (Map<number, Set<Pull>> | undefined)[] = [];
  private readonly places = new Map<Pull, Place<Pull>>();
  private readonly channels = new WeakMap<Channel, Set<Pull>>();
  private lastSlot: number;
  private timer: NodeJS.Timeout | null = null;

  /**
   * @param now monotonic clock, ms
   * @param wake called after the pull was taken out; it may hold it again
   */
  constructor(now: () => number, wake: (pull: Pull, reason: WakeReason) => void) {
    this.now = now;
    this.wake = wake;
    this.lastSlot = Math.floor(now() / SLOT_MS);
  }

  /** How many wait. */
  get size(): number {
    return this.places.size;
  }

  /**
   * Parks a pull.
   * @param untilMs on the same clock; at most 60 s away
   * @returns false when too many wait, or its channel is gone: answer it, or drop it
   */
  hold(pull: Pull, untilMs: number): boolean {
    const ofChannel = this.pullsOf(pull.channel);
    const isFull = this.places.size >= HELD_MAX || ofChannel.size >= HELD_PER_CHANNEL_MAX;
    if (isFull || !pull.channel.isOpen) return false;
    if (this.places.size === 0) this.startClock();
    const due = Math.max(this.lastSlot + 1, Math.ceil(untilMs / SLOT_MS));
    const slot = this.slots[due % SLOTS] ?? new Set<Pull>();
    const queue = this.queueOf(pull.topic, pull.queueId);
    slot.add(pull);
    queue.add(pull);
    ofChannel.add(pull);
    this.places.set(pull, { slot, queue });
    return true;
  }

  /** A queue's visible end moved to `maxOffset`: everybody who waits for something before it looks again. */
  arrived(topic: TopicName, queueId: number, maxOffset: number): void {
    const waiting = this.queues[topic.id]?.get(queueId);
    if (waiting === undefined || waiting.size === 0) return;
    // A woken pull may come back into the same set: go over those of now.
    const present = Array.from(waiting);
    for (const pull of present) {
      if (pull.resumeOffset < maxOffset) this.release(pull, "arrival");
    }
  }

  /** Wakes those whose time is up. Called by the own timer, and by tests. */
  tick(): void {
    const current = Math.floor(this.now() / SLOT_MS);
    // After a stall longer than the wheel each slot is visited once.
    const from = Math.max(this.lastSlot + 1, current - SLOTS + 1);
    this.lastSlot = current;
    for (let due = from; due <= current; due += 1) {
      const present = Array.from(this.slots[due % SLOTS] ?? []);
      for (const pull of present) this.release(pull, "deadline");
    }
    if (this.places.size === 0) this.stopClock();
  }

  /** Forgets all; nobody is answered. */
  stop(): void {
    for (const pull of this.places.keys()) this.takeOut(pull);
    this.stopClock();
  }

  private release(pull: Pull, reason: WakeReason): void {
    this.takeOut(pull);
    this.wake(pull, reason);
  }

  private takeOut(pull: Pull): void {
    const place = this.places.get(pull);
    this.places.delete(pull);
    place?.slot.delete(pull);
    place?.queue.delete(pull);
    this.channels.get(pull.channel)?.delete(pull);
  }

  private queueOf(topic: TopicName, queueId: number): Set<Pull> {
    const ofTopic = this.queues[topic.id] ?? new Map<number, Set<Pull>>();
    this.queues[topic.id] = ofTopic;
    const queue = ofTopic.get(queueId) ?? new Set<Pull>();
    ofTopic.set(queueId, queue);
    return queue;
  }

  private pullsOf(channel: Channel): Set<Pull> {
    const known = this.channels.get(channel);
    if (known !== undefined) return known;
    const added = new Set<Pull>();
    this.channels.set(channel, added);
    channel.onClose(() => {
      for (const pull of added) this.takeOut(pull);
    });
    return added;
  }

  private startClock(): void {
    this.lastSlot = Math.floor(this.now() / SLOT_MS);
    if (this.timer !== null) return;
    this.timer = setInterval(() => this.tick(), SLOT_MS);
    this.timer.unref();
  }

  private stopClock(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }
}
