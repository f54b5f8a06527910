/** Every command of mqadmin 4.9.0 with arguments that make it say something, in an order in which each finds what it needs. */
import type { Side } from "./sides.ts";

/** One call. */
export interface Command {
  /** Unique; the word of the command first. */
  readonly name: string;
  readonly args: (side: Side, member: string) => readonly string[];
  /** The lines come in no order that means anything. */
  readonly isUnordered?: true;
  /** It runs for ever and is interrupted after this. */
  readonly limitMs?: number;
  /** Lines are made comparable once more, for what only this command prints. */
  readonly tidy?: (line: string) => string;
}

const TOPIC = "AdminTopic";
const GROUP = "CG_admin";
const CLUSTER = "DefaultCluster";
const BROKER = "broker-a";

type Args = Command["args"];

/** A command with fixed arguments. */
function call(name: string, args: string, more: Omit<Command, "name" | "args"> = {}): Command {
  const words = args.split(" ").filter((word) => word !== "");
  return {
    name: `${name} ${args}`.trim(),
    args: () => [name.split(" ")[0] ?? "", ...words],
    ...more,
  };
}

/** A command whose arguments depend on the side. */
function callWith(name: string, args: Args, more: Omit<Command, "name" | "args"> = {}): Command {
  return {
    name,
    args: (side, member) => [name.split(" ")[0] ?? "", ...args(side, member)],
    ...more,
  };
}

const unordered = { isUnordered: true } as const;
/** Numbers of a running broker: which keys there are and how a value is written is compared. */
const numbersAway = (line: string): string =>
  line.replace(/-?\b\d+\b/g, "<n>").replace(/<(rate|n)> (B|[KMG]iB)\b/g, "<size>");
const portsAway = (line: string): string => line.replace(/((ha)?[lL]istenPort) =.*/, "$1 = <port>");

const statistics: readonly Command[] = [
  call("statsAll", `-t ${TOPIC}`),
  call("statsAll", "-a", { ...unordered, tidy: numbersAway }),
  call("consumerProgress", `-g ${GROUP}`),
  call("consumerProgress", `-g ${GROUP} -s true`),
  call("consumerProgress", "", {
    ...unordered,
    tidy: (line) => line.replace(/ \d+ (\d+)$/, " <tps> $1"),
  }),
  callWith("brokerConsumeStats", (side) => ["-b", side.master], unordered),
  callWith("brokerConsumeStats ordered", (side) => ["-b", side.master, "-o", "true"]),
];

const cluster: readonly Command[] = [
  call("clusterList", "", { tidy: numbersAway }),
  call("clusterList", "-m", { tidy: numbersAway }),
  callWith("brokerStatus master", (side) => ["-b", side.master], { tidy: numbersAway }),
  call("brokerStatus", `-c ${CLUSTER}`, { ...unordered, tidy: numbersAway }),
  callWith("getBrokerConfig master", (side) => ["-b", side.master], {
    ...unordered,
    tidy: portsAway,
  }),
  call("getBrokerConfig", `-c ${CLUSTER}`, { ...unordered, tidy: portsAway }),
  callWith("getNamesrvConfig", () => [], { ...unordered, tidy: portsAway }),
  callWith("updateNamesrvConfig order", () => ["-k", "orderMessageEnable", "-v", "true"]),
  callWith("updateNamesrvConfig home", () => ["-k", "rocketmqHome", "-v", "/tmp/evil"]),
];

const topics: readonly Command[] = [
  call("updateTopic", `-c ${CLUSTER} -t AdminMade -r 4 -w 4`),
  callWith("updateTopic ordered", (side) => [
    "-b",
    side.master,
    "-t",
    "AdminOrdered",
    "-r",
    "2",
    "-w",
    "2",
    "-o",
    "true",
  ]),
  call("updateTopic", `-c ${CLUSTER} -t AdminOrdered -r 2 -w 2 -o true`),
  call("updateTopic", `-c ${CLUSTER} -t TBW102`),
  call("updateTopic", `-c ${CLUSTER} -t bad.topic`),
  call("updateTopicPerm", `-c ${CLUSTER} -t AdminMade -p 4`),
  callWith("updateTopicPerm broker", (side) => ["-b", side.master, "-t", "AdminMade", "-p", "6"]),
  callWith("updateTopicPerm slave", (side) => ["-b", side.slave, "-t", "AdminMade", "-p", "4"]),
  call("topicRoute", `-t ${TOPIC}`),
  call("topicRoute", `-t ${TOPIC} -l`),
  call("topicRoute", "-t nope"),
  call("topicStatus", `-t ${TOPIC}`),
  call("topicStatus", "-t nope"),
  call("topicClusterList", `-t ${TOPIC}`),
  call("topicList", "", unordered),
  call("topicList", "-c", unordered),
  call("allocateMQ", `-t ${TOPIC} -i 192.0.2.1,192.0.2.2`),
  call("updateOrderConf", `-t ${TOPIC} -m put -v broker-a:4`),
  call("updateOrderConf", `-t ${TOPIC} -m get`),
  call("updateOrderConf", `-t ${TOPIC} -m delete`),
  call("updateOrderConf get deleted", `-t ${TOPIC} -m get`),
  call("updateKvConfig", "-s ADMIN -k one -v 1"),
  call("deleteKvConfig", "-s ADMIN -k one"),
];

const groups: readonly Command[] = [
  call("updateSubGroup", `-c ${CLUSTER} -g CG_made -r 3`),
  callWith("updateSubGroup broker", (side) => ["-b", side.master, "-g", "CG_made2", "-q", "2"]),
  call("producerConnection", `-g PG_admin -t ${TOPIC}`),
  call("producerConnection", `-g PG_nope -t ${TOPIC}`),
  call("consumerConnection", `-g ${GROUP}`),
  call("consumerConnection", "-g CG_made"),
  call("consumerStatus", `-g ${GROUP}`),
  callWith("consumerStatus member", (_side, member) => ["-g", GROUP, "-i", member]),
  call("cloneGroupOffset", `-s ${GROUP} -d CG_clone -t ${TOPIC}`),
  call("resetOffsetByTime", `-g ${GROUP} -t ${TOPIC} -s now`),
  call("resetOffsetByTime offline", `-g CG_clone -t ${TOPIC} -s now`),
  call("resetOffsetByTime", `-g CG_nope -t ${TOPIC} -s now`),
  call("deleteSubGroup", `-c ${CLUSTER} -g CG_made`),
  callWith("deleteSubGroup broker", (side) => ["-b", side.master, "-g", "CG_made2"]),
];

const messages: readonly Command[] = [
  callWith("queryMsgById", (side) => ["-i", side.sent[3]?.offsetId ?? ""]),
  callWith("queryMsgById unknown", (side) => [
    "-i",
    (side.sent[3]?.offsetId ?? "").replace(/.{8}$/, "0FFFFFFF"),
  ]),
  callWith("queryMsgById consume", (side, member) => [
    "-i",
    side.sent[3]?.offsetId ?? "",
    "-g",
    GROUP,
    "-d",
    member,
  ]),
  call("queryMsgByKey", `-t ${TOPIC} -k key-5`),
  call("queryMsgByKey", `-t ${TOPIC} -k nope`),
  callWith("queryMsgByUniqueKey", (side) => ["-t", TOPIC, "-i", side.sent[4]?.uniqueId ?? ""]),
  callWith("queryMsgByUniqueKey consume", (side, member) => [
    "-t",
    TOPIC,
    "-i",
    side.sent[4]?.uniqueId ?? "",
    "-g",
    GROUP,
    "-d",
    member,
  ]),
  call("queryMsgByOffset", `-t ${TOPIC} -b ${BROKER} -i 1 -o 2`),
  callWith("QueryMsgTraceById", (side) => ["-i", side.sent[6]?.uniqueId ?? ""]),
  call("printMsg", `-t ${TOPIC} -d true`),
  call("printMsg", `-t ${TOPIC} -s TagA`),
  call("printMsgByQueue", `-t ${TOPIC} -a ${BROKER} -i 0 -p true -d true`),
  call("printMsgByQueue", `-t ${TOPIC} -a ${BROKER} -i 0 -f true`),
  call("consumeMessage", `-t ${TOPIC} -b ${BROKER} -i 1 -o 3 -c 2`),
  call("queryCq", `-t ${TOPIC} -q 0 -i 2 -c 3`),
  callWith("queryCq filter", (side) => [
    "-t",
    TOPIC,
    "-q",
    "0",
    "-i",
    "2",
    "-c",
    "1",
    "-g",
    GROUP,
    "-b",
    side.master,
  ]),
  call("queryCq", `-t ${TOPIC} -q 9 -i 0`),
  call("queryCq", `-t ${TOPIC} -q 0 -i 99999`),
];

const sends: readonly Command[] = [
  callWith("queryMsgById resend", (side) => ["-i", side.sent[3]?.offsetId ?? "", "-s", "true"], {
    tidy: numbersAway,
  }),
  call("sendMessage", `-t AdminMade -p hello -k k1 -c TagC`, { tidy: numbersAway }),
  call("sendMessage", `-t ${TOPIC} -p hello -b ${BROKER} -i 2`),
  call("sendMsgStatus", `-b ${BROKER} -s 64 -c 2`),
  call("checkMsgSendRT", `-t ${TOPIC} -a 3 -s 10`, { tidy: numbersAway }),
  call("clusterRT", `-a 2 -s 10 -c ${CLUSTER} -i 60`, { limitMs: 3_000 }),
];

const access: readonly Command[] = [
  call("updateAclConfig", `-c ${CLUSTER} -a somebody1 -s secret123`),
  call("deleteAccessConfig", `-c ${CLUSTER} -a somebody1`),
  call("clusterAclConfigVersion", `-c ${CLUSTER}`),
  call("updateGlobalWhiteAddr", `-c ${CLUSTER} -g 192.0.2.*`),
  call("getAccessConfigSubCommand", `-c ${CLUSTER}`),
];

const changes: readonly Command[] = [
  callWith("updateBrokerConfig", (side) => [
    "-b",
    side.master,
    "-k",
    "fileReservedTime",
    "-v",
    "48",
  ]),
  call("updateBrokerConfig", `-c ${CLUSTER} -k slaveReadEnable -v true`),
  callWith("updateBrokerConfig unknown", (side) => ["-b", side.master, "-k", "nope", "-v", "1"]),
  callWith("updateBrokerConfig home", (side) => [
    "-b",
    side.slave,
    "-k",
    "rocketmqHome",
    "-v",
    "/tmp/evil",
  ]),
  callWith("cleanExpiredCQ broker", (side) => ["-b", side.master]),
  call("cleanExpiredCQ", `-c ${CLUSTER}`),
  call("cleanExpiredCQ", ""),
  callWith("cleanUnusedTopic broker", (side) => ["-b", side.master]),
  call("cleanUnusedTopic", `-c ${CLUSTER}`),
  call("deleteTopic", `-c ${CLUSTER} -t AdminMade`),
  call("topicRoute deleted", "-t AdminMade"),
  call("wipeWritePerm", `-b ${BROKER}`, { tidy: numbersAway }),
  call("topicRoute wiped", `-t ${TOPIC}`),
  call("startMonitoring", ""),
];

export const COMMANDS: readonly Command[] = [
  ...statistics,
  ...cluster,
  ...topics,
  ...groups,
  ...messages,
  ...sends,
  ...access,
  ...changes,
];

/** What the scene is made of before the first command. */
export const SCENE = { topic: TOPIC, group: GROUP, cluster: CLUSTER, messages: 40 } as const;
