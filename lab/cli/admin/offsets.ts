/** `lab admin offsets`: where a group is, queue by queue. */
import { EngineError } from "../../../engine/base/engine-error.ts";
import { table } from "../output.ts";
import type { AdminAction, AdminCall, AdminResult } from "./action.ts";
import { lagOf, progressRows } from "./progress-rows.ts";

async function list(call: AdminCall): Promise<AdminResult> {
  const { place, options, context } = call;
  const { group = "", topic } = options;
  if (topic !== undefined) await place.route(topic);
  const offsets = await progressRows(place, group, topic);
  const rows = offsets.map((row) => [
    row.topic,
    row.broker,
    ...[row.queue, row.brokerOffset, row.consumerOffset, row.lag].map(String),
    row.lastConsumed ?? "-",
  ]);
  const header = ["TOPIC", "BROKER", "QUEUE", "MAX", "OFFSET", "LAG", "LAST CONSUMED"];
  const where = topic === undefined ? "" : ` in ${topic}`;
  return {
    data: { group, topic: topic ?? null, lag: lagOf(offsets), offsets },
    text:
      rows.length === 0
        ? `group ${group} has no offset${where} on any broker`
        : `${context.color.bold(group)}: ${lagOf(offsets)} messages behind\n\n${table(header, rows)}`,
  };
}

async function set(call: AdminCall): Promise<AdminResult> {
  const { place, options, context } = call;
  const { group = "", topic = "", broker = "", queue = 0, offset = 0 } = options;
  const target = place.broker(broker);
  await place.route(topic);
  const stats = await place.admin.topicStats(target.address, topic);
  const held = stats.find((entry) => entry.queue.queueId === queue);
  if (held === undefined) {
    throw new EngineError("ADMIN_NOT_FOUND", {
      message: `${target.brokerName} has no queue ${queue} of ${topic}`,
      hint: `\`lab admin topics show ${topic}\` lists its queues`,
    });
  }
  if (offset < held.minOffset || offset > held.maxOffset) {
    throw new EngineError("CLI_USAGE", {
      message: `--offset ${offset} is outside of queue ${queue} of ${topic} on ${target.brokerName}`,
      hint: `it holds ${held.minOffset} to ${held.maxOffset}`,
    });
  }
  const rows = await progressRows(place, group, topic);
  const before = rows.find((row) => row.broker === target.brokerName && row.queue === queue);
  await place.admin.commitOffset(target.address, group, held.queue, offset);
  return {
    data: {
      group,
      topic,
      broker: target.brokerName,
      queue,
      before: before?.consumerOffset ?? null,
      after: offset,
    },
    text: `${context.color.bold(group)} goes on at ${offset} in queue ${queue} of ${topic} on ${target.brokerName}; members that run keep their own until they ask again`,
  };
}

export const OFFSET_ACTIONS: readonly AdminAction[] = [
  {
    noun: "offsets",
    verb: "list",
    summary: "where a group is, queue by queue",
    args: [],
    uses: ["group", "topic"],
    needs: ["group"],
    example: { command: "lab admin offsets --group billing --topic orders", what: "every queue" },
    run: list,
  },
  {
    noun: "offsets",
    verb: "set",
    summary: "where a group goes on in one queue",
    args: [],
    uses: ["group", "topic", "broker", "queue", "offset"],
    needs: ["group", "topic", "broker", "queue", "offset"],
    example: {
      command:
        "lab admin offsets set --group billing --topic orders --broker broker-a --queue 0 --offset 42",
      what: "skip one bad message",
    },
    run: set,
  },
];
