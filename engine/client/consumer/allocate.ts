/** Who owns which queue of a topic (remoting-protocol 5.6 step 4). Pure: every member computes the same from the same lists. */
import { createHash } from "node:crypto";
import type { Allocate, MessageQueue } from "../client-api.ts";

/** Places of one member on the ring (4.9's default). */
const VIRTUAL_NODES = 10;
/** A broker in a machine room is named `ROOM@NAME`. */
const ROOM_END = "@";

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

function ringPlace(text: string): number {
  return createHash("md5").update(text, "utf8").digest().readUInt32BE(0);
}

/** The text Java hashes a queue by. */
function javaText({ topic, brokerName, queueId }: MessageQueue): string {
  return `MessageQueue [topic=${topic}, brokerName=${brokerName}, queueId=${queueId}]`;
}

/**
 * Each queue goes to the member that follows it on a ring of MD5 hashes: few queues move when a member comes or goes, at the price of uneven shares.
 * @param virtualNodes places of each member on the ring; the same for every member of the group
 */
export function allocateConsistentHash(virtualNodes: number = VIRTUAL_NODES): Allocate {
  return (members, self, queues) => {
    const ring = new Map<number, string>();
    for (const member of members)
      for (let i = 0; i < virtualNodes; i += 1) ring.set(ringPlace(`${member}-${i}`), member);
    const places = [...ring].toSorted(([a], [b]) => a - b);
    return queues.filter((queue) => {
      const at = ringPlace(javaText(queue));
      const owner = places.find(([place]) => place >= at) ?? places[0];
      return owner?.[1] === self;
    });
  };
}

/** The same queues whoever else is there. @param own queues of any topics */
export function allocateByConfig(own: readonly MessageQueue[]): Allocate {
  return (_members, _self, queues) => own.filter(({ topic }) => topic === queues[0]?.topic);
}

/**
 * Only queues of brokers in these machine rooms, in equal ranges; what does not divide goes one by one to the first members.
 * @param rooms names before the `@` of a broker name
 */
export function allocateByMachineRoom(rooms: readonly string[]): Allocate {
  return (members, self, queues) => {
    const index = members.indexOf(self);
    if (index < 0) return [];
    const near = queues.filter(({ brokerName }) => {
      const parts = brokerName.split(ROOM_END);
      return parts.length === 2 && rooms.includes(parts[0] ?? "");
    });
    const size = Math.floor(near.length / members.length);
    const extra = near.slice(size * members.length)[index];
    const range = near.slice(size * index, size * (index + 1));
    return extra === undefined ? range : [...range, extra];
  };
}

/** Which machine room a broker or a member stands in. */
export interface MachineRooms {
  readonly ofQueue: (queue: MessageQueue) => string;
  readonly ofMember: (clientId: string) => string;
}

/**
 * Queues go to members of their own machine room; those of a room without members are shared by all.
 * @param rooms must answer alike on every member
 * @param within how queues are shared among members of one room
 */
export function allocateNearby(rooms: MachineRooms, within: Allocate = allocateAverage): Allocate {
  return (members, self, queues) => {
    if (!members.includes(self)) return [];
    const home = rooms.ofMember(self);
    const inhabited = new Set(members.map(rooms.ofMember));
    const neighbours = members.filter((member) => rooms.ofMember(member) === home);
    const own = queues.filter((queue) => rooms.ofQueue(queue) === home);
    const share = own.length === 0 ? [] : within(neighbours, self, own);
    const empty = [...new Set(queues.map(rooms.ofQueue))].filter((room) => !inhabited.has(room));
    const rest = empty
      .toSorted((a, b) => (a < b ? -1 : 1))
      .flatMap((room) =>
        within(
          members,
          self,
          queues.filter((queue) => rooms.ofQueue(queue) === room),
        ),
      );
    return [...share, ...rest];
  };
}
