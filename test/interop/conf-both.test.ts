/**
 * Property files as Apache's distribution has them (2m-2s-sync, 2m-2s-async, 2m-noslave) and as people write them by hand: both brokers take
 * them and understand the same values.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runChild } from "../helpers/child.ts";
import { machineHas } from "../helpers/requirements.ts";
import { apacheJars } from "./apache.ts";

const LOGBACK = `<configuration><appender name="C" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%m%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="C"/></root></configuration>`;

type Role = "SYNC_MASTER" | "ASYNC_MASTER" | "SLAVE";

/** The seven keys that each broker file of the distribution sets. */
function seven(brokerName: string, brokerId: number, brokerRole: Role): string {
  return `brokerClusterName=DefaultCluster
brokerName=${brokerName}
brokerId=${brokerId}
deleteWhen=04
fileReservedTime=48
brokerRole=${brokerRole}
flushDiskType=ASYNC_FLUSH
`;
}

function pairs(folder: string, role: Role): [string, string][] {
  return ["broker-a", "broker-b"].flatMap((name): [string, string][] => [
    [`${folder}/${name}`, seven(name, 0, role)],
    [`${folder}/${name}-s`, seven(name, 1, "SLAVE")],
  ]);
}

const DISTRIBUTION: readonly [string, string][] = [
  ...pairs("2m-2s-sync", "SYNC_MASTER"),
  ...pairs("2m-2s-async", "ASYNC_MASTER"),
  ["2m-noslave/broker-a", seven("broker-a", 0, "ASYNC_MASTER")],
  ["2m-noslave/broker-b", seven("broker-b", 0, "ASYNC_MASTER")],
];

/** As guides on the web show them: every path, old spellings, thread pools, comments in other languages. */
const GUIDE = `# 所属集群名字
brokerClusterName=rocketmq-cluster
# broker名字，注意此处不同的配置文件填写的不一样
brokerName=broker-a
# 0 表示 Master，>0 表示 Slave
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
#flushCommitLogLeastPages=4
#flushConsumeQueueLeastPages=2
#flushCommitLogThoroughInterval=10000
#flushConsumeQueueThoroughInterval=60000
brokerRole=SYNC_MASTER
flushDiskType=ASYNC_FLUSH
#checkTransactionMessageEnable=false
sendMessageThreadPoolNums=128
pullMessageThreadPoolNums=128
`;

/** Every way java.util.Properties lets a line be written. */
const WAYS = `! a comment of the other kind

   brokerName = broker-w
brokerClusterName:ways
brokerId 3
brokerRole=SLAVE
flushDiskType : SYNC_FLUSH
deleteWhen=\\
    02;\\
    14
messageDelayLevel=1s 5s \\
  10s
storePathRootDir=/data/\\u0072ocket
namesrvAddr=10.0.0.1\\:9876;10.0.0.2\\:9876
brokerIP1=10.0.0.9\r
listenPort=10911
listenPort=10921
msgTraceTopicName=
`;

/** Many keys of all four objects of 4.9.0, with values that are not the defaults. */
const LONG = `brokerClusterName=long
brokerName=broker-l
brokerIP1=192.0.2.10
brokerIP2=192.0.2.11
brokerPermission=4
defaultTopicQueueNums=3
autoCreateTopicEnable=false
clusterTopicEnable=false
brokerTopicEnable=false
autoCreateSubscriptionGroup=false
traceTopicEnable=true
msgTraceTopicName=MY_TRACE
rejectTransactionMessage=true
fetchNamesrvAddrByAddressServer=false
flushConsumerOffsetInterval=7000
longPollingEnable=false
shortPollingTimeMills=500
notifyConsumerIdsChangedEnable=false
regionId=Elsewhere
registerBrokerTimeoutMills=5000
slaveReadEnable=true
brokerFastFailureEnable=false
waitTimeMillsInSendQueue=300
startAcceptSendRequestTimeStamp=1
traceOn=false
enableCalcFilterBitMap=true
expectConsumerNumUseFilter=64
maxErrorRateOfBloomFilter=10
filterDataCleanTimeSpan=3600000
filterSupportRetry=true
enablePropertyFilter=true
compressedRegister=true
forceRegister=false
registerNameServerPeriod=20000
transactionTimeOut=5000
transactionCheckMax=5
transactionCheckInterval=30000
mappedFileSizeCommitLog=536870912
mappedFileSizeConsumeQueue=600000
flushIntervalCommitLog=400
flushCommitLogTimed=true
cleanResourceInterval=20000
deleteCommitLogFilesInterval=50
fileReservedTime=24
diskMaxUsedSpaceRatio=80
checkCRCOnRecover=true
flushCommitLogLeastPages=8
accessMessageInMemoryMaxRatio=30
messageIndexEnable=false
maxHashSlotNum=1000000
maxIndexNum=4000000
maxMsgsNumBatch=32
messageIndexSafe=true
haSendHeartbeatInterval=4000
haHousekeepingInterval=15000
haTransferBatchSize=65536
haMasterAddress=192.0.2.12:10912
haSlaveFallbehindMax=134217728
brokerRole=SYNC_MASTER
flushDiskType=SYNC_FLUSH
syncFlushTimeout=4000
flushDelayOffsetInterval=5000
offsetCheckInSlave=true
transientStorePoolEnable=false
defaultQueryMaxNum=16
listenPort=10931
serverWorkerThreads=6
serverCallbackExecutorThreads=2
serverSelectorThreads=2
serverOnewaySemaphoreValue=128
serverAsyncSemaphoreValue=32
serverChannelMaxIdleTimeSeconds=100
serverSocketSndBufSize=65536
serverSocketRcvBufSize=65536
clientWorkerThreads=3
connectTimeoutMillis=2000
channelNotActiveInterval=50000
clientChannelMaxIdleTimeSeconds=90
`;

const FILES: readonly [string, string][] = [
  ...DISTRIBUTION,
  ["by-hand/guide", GUIDE],
  ["by-hand/ways", WAYS],
  ["by-hand/long", LONG],
];

function settingsIn(output: string): ReadonlyMap<string, string> {
  const entries = output.split("\n").flatMap((line) => {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
  return new Map(entries);
}

function keysIn(text: string): string[] {
  return [...text.matchAll(/^ *([a-zA-Z]\w*)(?=\s*[=: ])/gm)].map((match) => match[1] ?? "");
}

describe.runIf(machineHas("java", "maven"))("property files for both brokers", () => {
  const home = mkdtempSync(join(tmpdir(), "lab-conf-both-"));

  beforeAll(async () => {
    mkdirSync(join(home, "conf"));
    writeFileSync(join(home, "conf", "logback_broker.xml"), LOGBACK);
    await apacheJars("4.9.0");
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  function fileOf(name: string, text: string): string {
    const file = join(home, `${name.replace("/", "-")}.properties`);
    writeFileSync(file, text);
    return file;
  }

  async function apaches(file: string): Promise<ReadonlyMap<string, string>> {
    const where = [`-Drocketmq.home.dir=${home}`, `-Duser.home=${home}`, "-Dfile.encoding=UTF-8"];
    const program = ["-cp", join(await apacheJars("4.9.0"), "*")];
    const main = ["org.apache.rocketmq.broker.BrokerStartup", "-c", file, "-p"];
    const run = await runChild("java", ["-Xmx128m", ...where, ...program, ...main], {
      timeoutMs: 30_000,
    });
    expect([run.code, run.code === 0 ? "" : run.output]).toEqual([0, ""]);
    return settingsIn(run.output);
  }

  async function ours(file: string): Promise<ReadonlyMap<string, string>> {
    const run = await runChild(process.execPath, [resolve("dist/mqbroker.mjs"), "-c", file, "-p"], {
      timeoutMs: 30_000,
    });
    expect([run.code, run.code === 0 ? "" : run.output]).toEqual([0, ""]);
    return settingsIn(run.output);
  }

  it.each(FILES)("%s: both take it and understand the same", async (name, text) => {
    const file = fileOf(name, text);
    const [theirs, own] = await Promise.all([apaches(file), ours(file)]);
    const keys = keysIn(text).filter((key) => theirs.has(key));
    expect(keys.length).toBeGreaterThanOrEqual(7);
    const values = (settings: ReadonlyMap<string, string>) =>
      keys.map((key) => `${key}=${settings.get(key)}`);
    expect(values(own)).toEqual(values(theirs));
  });
});
