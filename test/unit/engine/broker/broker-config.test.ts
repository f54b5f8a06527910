import { describe, expect, it } from "vitest";
import { EngineError } from "../../../../engine/base/engine-error.ts";
import { parseProperties } from "../../../../engine/base/properties-file.ts";
import {
  CONFIG_KEYS,
  configEntries,
  IMPORTANT_KEYS,
  loadBrokerConfig,
  namesrvAddresses,
  type LoadedBrokerConfig,
} from "../../../../engine/broker/broker-config.ts";
import type { ConfigEnvironment } from "../../../../engine/broker/config-keys.ts";

const environment: ConfigEnvironment = {
  home: "/home/mq",
  hostName: "server-1",
  localAddress: "192.0.2.10",
  namesrvAddr: "",
  rocketmqHome: "/opt/rocketmq",
  cpus: 2,
};

function load(text: string, overrides = ""): LoadedBrokerConfig {
  const sources = [
    { name: "broker.properties", entries: parseProperties(text, "broker.properties") },
    { name: "ROCKETMQ_OVERRIDES", entries: parseProperties(overrides, "ROCKETMQ_OVERRIDES") },
  ];
  return loadBrokerConfig(sources, environment);
}

/** Every problem of a file, one a line; text that no test expects when there is none. */
function problemsOf(text: string): string {
  try {
    load(text);
    return "the configuration was accepted";
  } catch (error) {
    const isOurs = error instanceof EngineError && error.code === "BROKER_CONFIG_INVALID";
    return isOurs ? error.message : `another error: ${String(error)}`;
  }
}

/** conf/2m-2s-async/broker-a.properties of the distribution (admin-protocol D.7). */
const SEVEN_LINES = `brokerClusterName=DefaultCluster
brokerName=broker-a
brokerId=0
deleteWhen=04
fileReservedTime=48
brokerRole=ASYNC_MASTER
flushDiskType=ASYNC_FLUSH
`;

/** The kind of file guides hand out: paths nobody reads, old spellings, comments. */
const LONG_FILE = `# cluster
brokerClusterName=rocketmq-cluster
brokerName=broker-a
# 0 = master, > 0 = slave
brokerId=0
namesrvAddr=rocketmq-nameserver1:9876;rocketmq-nameserver2:9876
defaultTopicQueueNums=4
autoCreateTopicEnable=true
autoCreateSubscriptionGroup=true
listenPort=10911
deleteWhen=04
fileReservedTime=120
mapedFileSizeCommitLog=1073741824
mapedFileSizeConsumeQueue=300000
#destroyMapedFileIntervalForcibly=120000
#redeleteHangedFileInterval=120000
diskMaxUsedSpaceRatio=88
storePathRootDir=/usr/local/rocketmq/store
storePathCommitLog=/usr/local/rocketmq/store/commitlog
storePathConsumeQueue=/usr/local/rocketmq/store/consumequeue
storePathIndex=/usr/local/rocketmq/store/index
storeCheckpoint=/usr/local/rocketmq/store/checkpoint
abortFile=/usr/local/rocketmq/store/abort
maxMessageSize=65536
flushCommitLogLeastPages=4
flushConsumeQueueLeastPages=2
flushCommitLogThoroughInterval=10000
flushConsumeQueueThoroughInterval=60000
brokerRole=SYNC_MASTER
flushDiskType=SYNC_FLUSH
checkTransactionMessageEnable=false
sendMessageThreadPoolNums=128
pullMessageThreadPoolNums=128
`;

describe("broker configuration", () => {
  it("D.4: knows the 168 keys of 4.9.0 and fourteen of its own", () => {
    // BrokerConfig 76, MessageStoreConfig 69, NettyServerConfig 11, NettyClientConfig 12.
    expect(Object.keys(CONFIG_KEYS).length).toBe(76 + 69 + 11 + 12 + 14);
    expect(IMPORTANT_KEYS).toHaveLength(34);
  });

  it("D.4: an empty file gives 4.9.0's defaults", () => {
    const { config, notices } = load("");
    expect(notices).toEqual([]);
    expect(config).toMatchObject({
      brokerName: "server-1",
      brokerClusterName: "DefaultCluster",
      brokerIP1: "192.0.2.10",
      listenPort: 10_911,
      haListenPort: 10_912,
      brokerRole: "ASYNC_MASTER",
      flushDiskType: "ASYNC_FLUSH",
      storePathRootDir: "/home/mq/store",
      storePathCommitLog: "/home/mq/store/commitlog",
      mappedFileSizeCommitLog: 1_073_741_824,
      autoCreateTopicEnable: true,
      fileReservedTime: 72,
      registerNameServerPeriod: 30_000,
      visibility: "appended",
    });
  });

  it("D.7: takes the distribution's seven lines without a word", () => {
    const { config, notices } = load(SEVEN_LINES);
    expect(notices).toEqual([]);
    expect(config.fileReservedTime).toBe(48);
    expect(config.brokerName).toBe("broker-a");
  });

  it("D.7: takes the slave's seven lines", () => {
    const slave = SEVEN_LINES.replace("brokerId=0", "brokerId=1").replace("ASYNC_MASTER", "SLAVE");
    expect(load(slave).config).toMatchObject({ brokerId: 1, brokerRole: "SLAVE" });
  });

  it("takes a long hand-written file and names every line that changes nothing", () => {
    const { config, notices } = load(LONG_FILE);
    expect(config).toMatchObject({ brokerRole: "SYNC_MASTER", flushDiskType: "SYNC_FLUSH" });
    expect(config.mappedFileSizeCommitLog).toBe(1_073_741_824);
    expect(config.mappedFileSizeConsumeQueue).toBe(6_000_000);
    expect(namesrvAddresses(config)).toEqual([
      "rocketmq-nameserver1:9876",
      "rocketmq-nameserver2:9876",
    ]);
    expect(notices).toHaveLength(13);
    expect(notices).toContain(
      "broker.properties:13: mapedFileSizeCommitLog is ignored: 4.9 reads it spelt with two p: mapped",
    );
    expect(
      notices.some((notice) => notice.startsWith("broker.properties:20: storePathConsumeQueue")),
    ).toBe(true);
  });

  it("refuses a mistyped key with file, line and a suggestion", () => {
    expect(problemsOf(`${SEVEN_LINES}brokerRol=SLAVE\n`)).toBe(
      "broker.properties:8: there is no key brokerRol, did you mean brokerRole?",
    );
  });

  it("names every problem at once", () => {
    const problems = problemsOf(
      "brokerId=zero\nautoCreateTopicEnable=yes\nflushDiskType=SYNC\nlistenPort=70000\nxyzzy=1\n",
    ).split("\n");
    expect(problems).toHaveLength(5);
    expect(problems[0]).toMatch(/^broker\.properties:1: brokerId is not a whole number: zero/);
    expect(problems[1]).toMatch(
      /^broker\.properties:2: autoCreateTopicEnable is neither true nor false/,
    );
    expect(problems[2]).toMatch(
      /^broker\.properties:3: flushDiskType must be one of ASYNC_FLUSH, SYNC_FLUSH/,
    );
    expect(problems[3]).toMatch(/^broker\.properties:4: listenPort must be 3 to 65534/);
    expect(problems[4]).toBe("broker.properties:5: there is no key xyzzy");
  });

  it("7.1: a slave needs a broker id above 0, as Apache says it", () => {
    expect(problemsOf("brokerRole=SLAVE\n")).toBe("Slave's brokerId must be > 0");
  });

  it("7.1: a master's id is 0 whatever the file says", () => {
    const { config, notices } = load("brokerId=3\n");
    expect(config.brokerId).toBe(0);
    expect(notices).toEqual(["brokerId is 0, not 3: the role is ASYNC_MASTER"]);
  });

  it("7.1: the replication port is always listenPort + 1", () => {
    const { config, notices } = load("listenPort=11011\nhaListenPort=10912\n");
    expect(config.haListenPort).toBe(11_012);
    expect(notices).toEqual(["haListenPort is 11012, not 10912: always listenPort + 1"]);
  });

  it("the commit log follows the root when only the root is set", () => {
    expect(load("storePathRootDir=/data/mq\n").config.storePathCommitLog).toBe(
      "/data/mq/commitlog",
    );
    const both = load("storePathRootDir=/data/mq\nstorePathCommitLog=/log\n");
    expect(both.config.storePathCommitLog).toBe("/log");
  });

  it("overrides win over the file and name themselves in errors", () => {
    expect(load(SEVEN_LINES, "listenPort=20911\nbrokerName=broker-b").config).toMatchObject({
      listenPort: 20_911,
      brokerName: "broker-b",
    });
    expect(() => load("", "listenPort=x")).toThrow(/^ROCKETMQ_OVERRIDES:1: listenPort/);
  });

  it("refuses what it would have to pretend: DLedger", () => {
    expect(problemsOf("enableDLegerCommitLog=true\n")).toMatch(/DLedger mode is not served/);
  });

  it("refuses a name server list it cannot read, in Apache's words", () => {
    expect(problemsOf("namesrvAddr=127.0.0.1\n")).toMatch(
      /^The Name Server Address\[127\.0\.0\.1\] illegal/,
    );
  });

  it("C.2: shows every key, with the shown name of enableBatchPush", () => {
    const entries = new Map(configEntries(load(SEVEN_LINES).config));
    expect(entries.size).toBe(Object.keys(CONFIG_KEYS).length);
    expect(entries.get("isEnableBatchPush")).toBe("false");
    expect(entries.get("haListenPort")).toBe("10912");
    expect(entries.get("messageStorePlugIn")).toBe("");
  });

  it("rounds the consume queue size up to whole entries and clamps the registration period", () => {
    const { config } = load("mappedFileSizeConsumeQueue=1001\nregisterNameServerPeriod=1\n");
    expect(config.mappedFileSizeConsumeQueue).toBe(1_020);
    expect(config.registerNameServerPeriod).toBe(10_000);
  });
});
