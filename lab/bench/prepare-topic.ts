import { setTimeout as sleep } from "node:timers/promises";
import type { AdminClient } from "../../engine/admin/index.ts";
import { EngineError } from "../../engine/base/engine-error.ts";
import type { Producers } from "./producers.ts";
import type { MasterAddress } from "./topic-offsets.ts";
import type { Workload } from "./workload.ts";

const READY_DEADLINE_MS = 10_000;
const POLL_MS = 50;

/**
 * Makes the topic on every master unless it is there.
 * @returns queues of the topic, all masters together
 */
export async function ensureTopic(
  admin: AdminClient,
  masters: readonly MasterAddress[],
  workload: Workload,
): Promise<number> {
  const queueNums = { readQueueNums: workload.queues, writeQueueNums: workload.queues };
  for (const { address } of masters) {
    await admin.createTopic({ topic: workload.topic, ...queueNums }, { brokerAddr: address });
  }
  return masters.length * workload.queues;
}

/**
 * Sends one message through every queue, until each has taken it: routes are spread and every queue is writable.
 * @param producers started
 * @param queueCount how many queues there must be
 * @throws EngineError BENCH_TOPIC_NOT_READY
 */
export async function probeTopic(
  producers: Producers,
  queueCount: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + READY_DEADLINE_MS;
  let problem = "";
  for (;;) {
    signal.throwIfAborted();
    try {
      const queues = await producers.queues();
      problem = `${queues.length} of ${queueCount} queues are routed`;
      if (queues.length >= queueCount) {
        await Promise.all(queues.map((queue) => producers.probe(queue)));
        return;
      }
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    if (performance.now() >= deadline) {
      throw new EngineError("BENCH_TOPIC_NOT_READY", {
        message: `the topic is not ready after ${READY_DEADLINE_MS / 1_000} s: ${problem}`,
        hint: "see `lab status`: every master must run and be routed",
      });
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}
