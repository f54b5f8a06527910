/**
 * Which queues there are and how far each surely reaches (S-10), in ROOT/queue-ends.json: `{"TOPIC":{"0":1200,"1":1199}}`. A queue that is
 * missing or shorter at the next start was deleted or lost, and is rebuilt from the log (S-15). Apache's broker knows nothing of the file.
 */
import { asNumber, asObject, parseFastjson, writeFastjson } from "../base/fastjson.ts";
import type { Logger } from "../base/logger.ts";
import { readStateFile, writeStateFile } from "../base/state-file.ts";
import type { Vfs } from "../base/vfs.ts";
import { findTopic } from "../message/topic-name.ts";
import type { QueueTable } from "./queue-table.ts";

/** @param queues all of them, as they are on the disk now */
export function writeQueueEnds(vfs: Vfs, path: string, queues: QueueTable): void {
  const topics = new Map<string, Map<string, number>>();
  for (const { topic, queueId, queue } of queues.all) {
    const ends = topics.get(topic.text) ?? new Map<string, number>();
    topics.set(topic.text, ends.set(String(queueId), queue.maxOffset));
  }
  const lines = [...topics].map(
    ([topic, ends]) => `${JSON.stringify(topic)}:${writeFastjson(ends)}`,
  );
  writeStateFile(vfs, path, `{${lines.join(",\n")}}\n`);
}

function endOf(queues: QueueTable, topic: string, queueId: number): number {
  const bytes = Buffer.from(topic, "utf8");
  const name = findTopic(bytes, 0, bytes.length);
  return name === undefined ? 0 : (queues.find(name, queueId)?.queue.maxOffset ?? 0);
}

/**
 * @param queues recovered
 * @returns true when a queue misses entries it had, so that all of them have to be built from the log again
 */
export function missesQueueEntries(
  parts: { readonly vfs: Vfs; readonly logger: Logger },
  path: string,
  queues: QueueTable,
): boolean {
  try {
    const text = readStateFile(parts.vfs, path);
    if (text === null) return false;
    for (const [topic, ends] of asObject(parseFastjson(text))) {
      for (const [queueId, end] of asObject(ends)) {
        if (endOf(queues, topic, Number(queueId)) >= asNumber(end)) continue;
        parts.logger.warn("a consume queue misses entries: rebuilding from the log", {
          topic,
          queueId,
        });
        return true;
      }
    }
    return false;
  } catch (error) {
    parts.logger.warn("the list of queues is damaged: rebuilding from the log", {
      reason: String(error),
    });
    return true;
  }
}
