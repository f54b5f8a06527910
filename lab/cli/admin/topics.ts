/** `lab admin topics`: what there is, what it holds, make and remove. */
import { EngineError } from "../../../engine/base/engine-error.ts";
import type { TopicRoute } from "../../../engine/client/index.ts";
import { pollUntil } from "../../runtime/wait/poll.ts";
import { table } from "../output.ts";
import type { AdminAction, AdminCall, AdminResult } from "./action.ts";
import { inTurn } from "./in-turn.ts";
import { instant } from "./when.ts";

const QUEUES = 8;
const PERM = { rw: 6, r: 4, w: 2 } as const;
const READ = 4;
const WRITE = 2;

/** Topics every 4.9 broker makes for itself, and the lab's probe. */
const SYSTEM = new Set([
  "TBW102",
  "SELF_TEST_TOPIC",
  "BenchmarkTest",
  "OFFSET_MOVED_EVENT",
  "SCHEDULE_TOPIC_XXXX",
  "LAB_PROBE",
]);

type TopicKind = "normal" | "retry" | "dead-letter" | "system";

function permText(perm: number): string {
  return `${(perm & READ) === 0 ? "-" : "r"}${(perm & WRITE) === 0 ? "-" : "w"}`;
}

/** Clusters and brokers have topics of their own names (store-and-ha 1.4). */
function kindOf(call: AdminCall, topic: string): TopicKind {
  if (topic.startsWith("%RETRY%")) return "retry";
  if (topic.startsWith("%DLQ%")) return "dead-letter";
  const { clusters, brokers } = call.place.info;
  const isSystem =
    SYSTEM.has(topic) ||
    topic.startsWith("RMQ_SYS_") ||
    topic.startsWith("rmq_sys_") ||
    topic.endsWith("_REPLY_TOPIC") ||
    clusters.has(topic) ||
    brokers.some(({ brokerName }) => brokerName === topic);
  return isSystem ? "system" : "normal";
}

function placesOf(route: TopicRoute | null) {
  return (route?.queues ?? [])
    .map(({ brokerName, readQueueNums, writeQueueNums, perm }) => ({
      broker: brokerName,
      readQueues: readQueueNums,
      writeQueues: writeQueueNums,
      perm: permText(perm),
    }))
    .toSorted((a, b) => (a.broker < b.broker ? -1 : 1));
}

async function list(call: AdminCall): Promise<AdminResult> {
  const { place, options, context } = call;
  const names = (await place.admin.topics(place.namesrvAddr))
    .filter((topic) => options.all || kindOf(call, topic) === "normal")
    .toSorted();
  const topics = await inTurn(names, async (topic) => ({
    topic,
    kind: kindOf(call, topic),
    brokers: placesOf(await place.admin.route(place.namesrvAddr, topic)),
  }));
  const rows = topics.map(({ topic, kind, brokers }) => [
    context.color.bold(topic),
    kind,
    brokers.map(({ broker, writeQueues }) => `${broker}:${writeQueues}`).join(" ") || "-",
    [...new Set(brokers.map(({ perm }) => perm))].join(" ") || "-",
  ]);
  const header = ["TOPIC", "KIND", "BROKER:QUEUES", "PERM"];
  const none = options.all ? "no topics" : "no topics of yours yet; --all shows the others";
  return {
    data: { namesrv: place.namesrvAddr, topics },
    text: rows.length === 0 ? none : table(header, rows),
  };
}

async function show(call: AdminCall): Promise<AdminResult> {
  const { place, context } = call;
  const [topic = ""] = call.args;
  const route = await place.route(topic);
  const holders = place
    .oneOfEach()
    .filter(({ brokerName }) => route.queues.some((queue) => queue.brokerName === brokerName));
  const stats = await inTurn(holders, ({ address }) => place.admin.topicStats(address, topic));
  const readers = await inTurn(holders, ({ address }) => place.admin.groupsOfTopic(address, topic));
  const queues = stats
    .flat()
    .map(({ queue, minOffset, maxOffset, lastUpdateTimestamp }) => ({
      broker: queue.brokerName,
      queue: queue.queueId,
      minOffset,
      maxOffset,
      messages: maxOffset - minOffset,
      lastStored: instant(lastUpdateTimestamp),
    }))
    .toSorted((a, b) => (a.broker === b.broker ? a.queue - b.queue : a.broker < b.broker ? -1 : 1));
  const messages = queues.reduce((sum, queue) => sum + queue.messages, 0);
  const groups = [...new Set(readers.flat())].toSorted();
  const kind = kindOf(call, topic);
  const rows = queues.map((row) => [
    row.broker,
    ...[row.queue, row.minOffset, row.maxOffset, row.messages].map(String),
    row.lastStored ?? "-",
  ]);
  const perms = placesOf(route).map(({ broker, perm }) => `${broker} ${perm}`);
  return {
    data: { topic, kind, brokers: placesOf(route), messages, queues, groups },
    text: [
      `${context.color.bold(topic)}: ${kind}, ${messages} messages; ${perms.join(", ")}`,
      `read by ${groups.join(", ") || "nobody"}`,
      "",
      table(["BROKER", "QUEUE", "MIN", "MAX", "MESSAGES", "LAST STORED"], rows),
    ].join("\n"),
  };
}

/** Where a new topic goes: to one broker, or to every master of a cluster. */
function targetOf({ place, options }: AdminCall) {
  if (options.broker === undefined) {
    const cluster = place.cluster(options.cluster);
    const masters = place.masters().filter((master) => master.cluster === cluster);
    return {
      cluster,
      broker: null,
      target: { cluster },
      names: masters.map((master) => master.brokerName),
      where: `every master of ${cluster}`,
    };
  }
  if (options.cluster !== undefined) {
    throw new EngineError("CLI_USAGE", {
      message: "--broker and --cluster exclude each other",
      hint: "leave one of the two out",
    });
  }
  const { cluster, brokerName, address } = place.broker(options.broker);
  const target = { brokerAddr: address };
  return { cluster, broker: brokerName, target, names: [brokerName], where: brokerName };
}

/** A broker tells the name servers a moment after it answers; a send before that would meet only some of the queues. */
async function awaitRoute(
  { place, context }: AdminCall,
  topic: string,
  names: readonly string[],
): Promise<void> {
  const { signal } = context;
  await pollUntil(
    async () => {
      const route = await place.admin.route(place.namesrvAddr, topic);
      const missing = names.find(
        (name) => !(route?.queues ?? []).some((queue) => queue.brokerName === name),
      );
      return missing === undefined ? null : `${place.namesrvAddr} does not route it to ${missing}`;
    },
    { deadline: performance.now() + place.timeoutMs, signal, say: () => undefined },
  );
}

async function create(call: AdminCall): Promise<AdminResult> {
  const { place, options, context } = call;
  const [topic = ""] = call.args;
  const queues = options.queues ?? QUEUES;
  const perm = options.perm ?? "rw";
  const { cluster, broker, target, names, where } = targetOf(call);
  const created = (await place.admin.route(place.namesrvAddr, topic)) === null;
  const counts = { readQueueNums: queues, writeQueueNums: queues };
  const spec = { topic, ...counts, perm: PERM[perm], order: options.order };
  await place.admin.createTopic(spec, target);
  await awaitRoute(call, topic, names);
  return {
    data: { topic, created, cluster, broker, queues, perm },
    text: `${context.color.bold(topic)} ${created ? "created" : "updated"}: ${queues} queues on ${where}, ${perm}`,
  };
}

async function remove(call: AdminCall): Promise<AdminResult> {
  const { place, options, context } = call;
  const [topic = ""] = call.args;
  const route = await place.route(topic);
  const cluster = place.cluster(options.cluster ?? route.brokers[0]?.cluster);
  if (kindOf(call, topic) === "system") {
    throw new EngineError("CLI_USAGE", {
      message: `${topic} belongs to RocketMQ itself`,
      hint: "`lab admin topics list` shows the topics that can be deleted",
    });
  }
  if (place.topology === null && !context.yes) {
    throw new EngineError("CLI_USAGE", {
      message: `this deletes ${topic} with its messages from a cluster that is not a lab's`,
      hint: "say --yes when that is meant",
    });
  }
  await place.admin.deleteTopic(topic, cluster);
  return {
    data: { topic, cluster, deleted: true },
    text: `${context.color.bold(topic)} deleted on every broker of ${cluster} and at every name server`,
  };
}

export const TOPIC_ACTIONS: readonly AdminAction[] = [
  {
    noun: "topics",
    verb: "list",
    summary: "every topic, its brokers, queues and permissions",
    args: [],
    uses: ["all"],
    needs: [],
    example: { command: "lab admin topics", what: "your topics; --all also the system's" },
    run: list,
  },
  {
    noun: "topics",
    verb: "show",
    summary: "offsets of every queue, and who reads it",
    args: ["TOPIC"],
    uses: [],
    needs: [],
    example: { command: "lab admin topics show orders", what: "what it holds, queue by queue" },
    run: show,
  },
  {
    noun: "topics",
    verb: "create",
    summary: "make a topic on every master, or change it",
    args: ["TOPIC"],
    uses: ["queues", "perm", "order", "cluster", "broker"],
    needs: [],
    example: { command: "lab admin topics create orders --queues 4", what: "on every master" },
    run: create,
  },
  {
    noun: "topics",
    verb: "delete",
    summary: "remove a topic and its messages everywhere",
    args: ["TOPIC"],
    uses: ["cluster"],
    needs: [],
    example: { command: "lab admin topics delete orders", what: "with its messages" },
    run: remove,
  },
];
