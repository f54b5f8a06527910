/** A name server of the tests: the real one on a free port, its clock and its log in the test's hand. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../../../engine/base/logger.ts";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import { parseProperties } from "../../../../engine/base/properties-file.ts";
import { loadNamesrvConfig } from "../../../../engine/namesrv/namesrv-config.ts";
import { startNamesrv } from "../../../../engine/namesrv/namesrv.ts";
import {
  encodeCompressedRegisterBroker,
  encodeRegisterBroker,
} from "../../../../engine/remoting/bodies/register-broker.ts";
import type { TopicConfigBody } from "../../../../engine/remoting/bodies/topic-config.ts";
import { REQUEST_CODE } from "../../../../engine/remoting/request-codes.ts";
import { Cleanup } from "../../../helpers/cleanup.ts";
import { RemotingPeer, type PeerAnswer, type PeerRequest } from "../../../helpers/remoting-peer.ts";

/** A topic of a registration; what is not given is as `JTopic` of remoting-protocol 3.2. */
export function topic(topicName: string, changes: Partial<TopicConfigBody> = {}): TopicConfigBody {
  return {
    topicName,
    readQueueNums: 4,
    writeQueueNums: 4,
    perm: 6,
    topicFilterType: "SINGLE_TAG",
    topicSysFlag: 0,
    order: false,
    ...changes,
  };
}

/** What a test says about a registration; the rest is broker-a's master. */
export interface TestRegistration {
  readonly brokerName?: string;
  readonly brokerId?: number;
  readonly brokerAddr?: string;
  readonly haServerAddr?: string;
  readonly clusterName?: string;
  readonly counter?: number;
  readonly topics?: readonly TopicConfigBody[];
  readonly compressed?: boolean;
  /** Further header fields. */
  readonly ext?: Readonly<Record<string, string | number | boolean>>;
}

/** @returns REGISTER_BROKER as a 4.9 broker sends it */
export function registration(given: TestRegistration = {}): PeerRequest {
  const { brokerName = "broker-a", brokerId = 0, clusterName = "DefaultCluster" } = given;
  const { brokerAddr = "10.0.0.1:10911", haServerAddr = "10.0.0.1:10912" } = given;
  const { counter = 1, topics = [topic("JTopic")], compressed = false } = given;
  const table = { dataVersion: { counter, timestamp: 1_795_360_599_123 }, topics };
  const encode = compressed ? encodeCompressedRegisterBroker : encodeRegisterBroker;
  return {
    code: REQUEST_CODE.REGISTER_BROKER,
    ext: {
      brokerName,
      brokerId,
      clusterName,
      brokerAddr,
      haServerAddr,
      compressed,
      ...given.ext,
    },
    body: encode({ table, filterServerList: [] }),
  };
}

export class NamesrvFixture implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly home = mkdtempSync(join(tmpdir(), "lab-namesrv-"));
  /** The name server's monotonic clock, ms. */
  nowMs = 1_000_000;
  port = 0;
  private readonly cleanup = new Cleanup();
  private main: RemotingPeer | undefined;

  /** @param properties namesrv.properties text; paths and port are the fixture's */
  static async start(properties = ""): Promise<NamesrvFixture> {
    const fixture = new NamesrvFixture();
    fixture.cleanup.defer(() => rmSync(fixture.home, { recursive: true, force: true }));
    try {
      await fixture.restart(properties);
      return fixture;
    } catch (error) {
      await fixture[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts another name server on the same files; the present one, if any, keeps running until disposal. */
  async restart(properties = ""): Promise<void> {
    const text = `listenPort=0\nbindAddress=127.0.0.1\nconfigStorePath=${this.home}/namesrv.properties\n${properties}`;
    const entries = parseProperties(text, "test.properties");
    const { config } = loadNamesrvConfig([{ name: "test.properties", entries }], {
      home: this.home,
      rocketmqHome: "",
    });
    const logger = createLogger("namesrv", "info", (line) => this.lines.push(line));
    const running = await startNamesrv({ config, vfs: nodeVfs, logger, now: () => this.nowMs });
    this.cleanup.use(running);
    this.port = running.port;
    this.main = await this.peer();
  }

  /** @param localAddress where it asks from */
  async peer(localAddress?: string): Promise<RemotingPeer> {
    const peer = await RemotingPeer.connect(this.port, localAddress);
    this.cleanup.defer(() => peer[Symbol.dispose]());
    return peer;
  }

  /** Asks over the fixture's own connection. */
  ask(request: PeerRequest): Promise<PeerAnswer> {
    if (this.main === undefined) throw new Error("the name server is not started");
    return this.main.ask(request);
  }

  register(given: TestRegistration = {}): Promise<PeerAnswer> {
    return this.ask(registration(given));
  }

  route(topicName: string, version?: number): Promise<PeerAnswer> {
    return this.ask({
      code: REQUEST_CODE.GET_ROUTEINFO_BY_TOPIC,
      ext: { topic: topicName },
      ...(version === undefined ? {} : { version }),
    });
  }

  clusterInfo(): Promise<PeerAnswer> {
    return this.ask({ code: REQUEST_CODE.GET_BROKER_CLUSTER_INFO });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup[Symbol.asyncDispose]();
  }
}
