/** `lab admin groups`: who consumes, how far they are, where they go on. */
import type { GroupSettings } from "../../../engine/admin/index.ts";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import { table } from "../output.ts";
import type { AdminAction, AdminCall, AdminResult } from "./action.ts";
import { inTurn } from "./in-turn.ts";
import type { AdminPlace } from "./place.ts";
import { lagOf, progressRows, type ProgressRow } from "./progress-rows.ts";
import { parseWhen } from "./when.ts";

/** Groups every 4.9 broker has from the start (store-and-ha 6.6), and the lab's own. */
const BUILT_IN =
  /^(TOOLS_CONSUMER|FILTERSRV_CONSUMER|SELF_TEST_C_GROUP|CID_ONS.*|CID_RMQ_SYS_.*|LAB_.*)$/;
const LATEST = -1;
const EARLIEST = 0;

interface FoundGroup {
  readonly settings: GroupSettings;
  readonly brokers: readonly string[];
}

/** Groups by name, over one broker of each name. */
async function groupsOf(place: AdminPlace): Promise<ReadonlyMap<string, FoundGroup>> {
  const found = new Map<string, FoundGroup>();
  const lists = await inTurn(place.oneOfEach(), async ({ address, brokerName }) => ({
    brokerName,
    groups: await place.admin.groups(address),
  }));
  for (const { brokerName, groups } of lists) {
    for (const settings of groups) {
      const brokers = found.get(settings.group)?.brokers ?? [];
      found.set(settings.group, { settings, brokers: [...brokers, brokerName] });
    }
  }
  return found;
}

async function membersOf(place: AdminPlace, group: string) {
  const lists = await inTurn(place.oneOfEach(), ({ address }) =>
    place.admin.consumerConnections(address, group),
  );
  return [...new Map(lists.flat().map((member) => [member.clientId, member])).values()];
}

async function list(call: AdminCall): Promise<AdminResult> {
  const { place, options, context } = call;
  const found = [...(await groupsOf(place))]
    .filter(([group]) => options.all || !BUILT_IN.test(group))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const groups = await inTurn(found, async ([group, { settings, brokers }]) => {
    const rows = await progressRows(place, group, undefined);
    return {
      group,
      members: (await membersOf(place, group)).length,
      topics: [...new Set(rows.map(({ topic }) => topic))],
      lag: lagOf(rows),
      retryMaxTimes: settings.retryMaxTimes,
      brokers,
    };
  });
  const rows = groups.map((row) => [
    context.color.bold(row.group),
    String(row.members),
    String(row.lag),
    row.topics.join(" ") || "-",
    row.brokers.join(" "),
  ]);
  const none = options.all ? "no groups" : "no groups of yours yet; --all shows the others";
  return {
    data: { namesrv: place.namesrvAddr, groups },
    text: rows.length === 0 ? none : table(["GROUP", "MEMBERS", "LAG", "TOPICS", "BROKERS"], rows),
  };
}

/** @throws EngineError ADMIN_NOT_FOUND with the nearest names */
async function requireGroup(place: AdminPlace, group: string): Promise<FoundGroup> {
  const all = await groupsOf(place);
  const found = all.get(group);
  if (found !== undefined) return found;
  throw new EngineError("ADMIN_NOT_FOUND", {
    message: `no broker knows group ${group}`,
    hint: suggestion(group, [...all.keys()], "`lab admin groups list` lists them"),
  });
}

function byTopic(rows: readonly ProgressRow[]) {
  return [...new Set(rows.map(({ topic }) => topic))].map((topic) => {
    const own = rows.filter((row) => row.topic === topic);
    return { topic, queues: own.length, lag: lagOf(own) };
  });
}

async function show(call: AdminCall): Promise<AdminResult> {
  const { place, context } = call;
  const [group = ""] = call.args;
  const { settings, brokers } = await requireGroup(place, group);
  const topics = byTopic(await progressRows(place, group, undefined));
  const members = await membersOf(place, group);
  const { consumeEnable, broadcastEnable, retryQueueNums, retryMaxTimes } = settings;
  const memberRows = members.map((member) => [
    member.clientId,
    member.clientAddr,
    member.language,
    String(member.version),
  ]);
  const topicRows = topics.map((row) => [row.topic, String(row.queues), String(row.lag)]);
  return {
    data: {
      group,
      brokers,
      settings: { consumeEnable, broadcastEnable, retryQueueNums, retryMaxTimes },
      members,
      topics,
    },
    text: [
      `${context.color.bold(group)} on ${brokers.join(", ")}: ${consumeEnable ? "may consume" : "is switched off"}, at most ${retryMaxTimes} retries`,
      "",
      members.length === 0
        ? "nobody is connected"
        : table(["MEMBER", "ADDRESS", "LANGUAGE", "VERSION"], memberRows),
      "",
      topics.length === 0 ? "no offsets yet" : table(["TOPIC", "QUEUES", "LAG"], topicRows),
    ].join("\n"),
  };
}

function targetTime(to: string): number {
  if (to === "latest") return LATEST;
  return to === "earliest" ? EARLIEST : parseWhen(to, "--to");
}

async function reset(call: AdminCall): Promise<AdminResult> {
  const { place, options, context } = call;
  const [group = ""] = call.args;
  const { topic = "", to = "" } = options;
  const timestampMs = targetTime(to);
  await place.route(topic);
  await requireGroup(place, group);
  const before = await progressRows(place, group, topic);
  const offsets = await place.admin.resetOffset(topic, group, timestampMs, true);
  const queues = [...offsets]
    .map(([queue, offset]) => ({
      broker: queue.brokerName,
      queue: queue.queueId,
      before:
        before.find((row) => row.broker === queue.brokerName && row.queue === queue.queueId)
          ?.consumerOffset ?? null,
      after: offset,
    }))
    .toSorted((a, b) => (a.broker === b.broker ? a.queue - b.queue : a.broker < b.broker ? -1 : 1));
  const rows = queues.map((row) => [
    row.broker,
    String(row.queue),
    row.before === null ? "-" : String(row.before),
    String(row.after),
  ]);
  return {
    data: { group, topic, to, timestampMs, queues },
    text: `${context.color.bold(group)} goes on in ${topic} from ${to}\n\n${table(["BROKER", "QUEUE", "BEFORE", "AFTER"], rows)}`,
  };
}

async function remove(call: AdminCall): Promise<AdminResult> {
  const { place, options, context } = call;
  const [group = ""] = call.args;
  await requireGroup(place, group);
  const members = await membersOf(place, group);
  if (members.length > 0 && !context.yes) {
    throw new EngineError("CLI_USAGE", {
      message: `${members.length} of group ${group} are connected: they would make it again with their next heartbeat`,
      hint: "stop them first, or say --yes",
    });
  }
  const masters = place.masters();
  const offsets = !options.keepOffsets;
  await inTurn(masters, ({ address }) => place.admin.deleteGroup(address, group, { offsets }));
  const brokers = masters.map(({ brokerName }) => brokerName);
  return {
    data: { group, brokers, offsetsRemoved: offsets },
    text: `${context.color.bold(group)} deleted on ${brokers.join(", ")}${offsets ? " with its offsets" : "; its offsets stay"}`,
  };
}

export const GROUP_ACTIONS: readonly AdminAction[] = [
  {
    noun: "groups",
    verb: "list",
    summary: "consumer groups, members and lag",
    args: [],
    uses: ["all"],
    needs: [],
    example: { command: "lab admin groups", what: "who consumes, and how far behind" },
    run: list,
  },
  {
    noun: "groups",
    verb: "show",
    summary: "members, settings and lag by topic",
    args: ["GROUP"],
    uses: [],
    needs: [],
    example: { command: "lab admin groups show billing", what: "one group" },
    run: show,
  },
  {
    noun: "groups",
    verb: "reset",
    summary: "move a group to the end, the beginning or a time",
    args: ["GROUP"],
    uses: ["topic", "to"],
    needs: ["topic", "to"],
    example: {
      command: "lab admin groups reset billing --topic orders --to 10m",
      what: "consume the last ten minutes again",
    },
    run: reset,
  },
  {
    noun: "groups",
    verb: "delete",
    summary: "remove a group on every master",
    args: ["GROUP"],
    uses: ["keepOffsets"],
    needs: [],
    example: { command: "lab admin groups delete billing", what: "with its offsets" },
    run: remove,
  },
];
