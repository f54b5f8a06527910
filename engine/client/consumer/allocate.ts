/** Who owns which queue of a topic (remoting-protocol 5.6 step 4). Pure: every member computes the same from the same lists. */
import type { MessageQueue } from "../client-api.ts";

/**
 * @param members client ids, sorted
 * @param self one of them
 * @param queues sorted
 * @returns the share of `self`; empty when it is no member
 */
export type Allocate = (
  members: readonly string[],
  self: string,
  queues: readonly MessageQueue[],
) => MessageQueue[];

/** Java's default: equal contiguous ranges, the first members get one more when it does not divide. */
export const allocateAverage: Allocate = (members, self, queues) => {
  const index = members.indexOf(self);
  if (index < 0) return [];
  const size = Math.floor(queues.length / members.length);
  const larger = queues.length % members.length;
  const start = index * size + Math.min(index, larger);
  return queues.slice(start, start + size + (index < larger ? 1 : 0));
};

/** One queue to each member in turn. */
export const allocateByCircle: Allocate = (members, self, queues) => {
  const index = members.indexOf(self);
  if (index < 0) return [];
  return queues.filter((_, i) => i % members.length === index);
};
