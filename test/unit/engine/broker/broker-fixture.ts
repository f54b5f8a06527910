/** A broker's context around a store that only notes what it is asked, for tests of the paths between remoting and store. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { physicalOffset, queueOffset } from "../../../../engine/base/brand.ts";
import { silentLogger } from "../../../../engine/base/logger.ts";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import { parseProperties } from "../../../../engine/base/properties-file.ts";
import { loadBrokerConfig } from "../../../../engine/broker/broker-config.ts";
import type { BrokerContext } from "../../../../engine/broker/broker-context.ts";
import { BrokerCounters } from "../../../../engine/broker/broker-stats.ts";
import { BrokerClients } from "../../../../engine/broker/client-registry.ts";
import { BrokerFilters } from "../../../../engine/broker/consumer-filters.ts";
import { BrokerOffsets } from "../../../../engine/broker/consumer-offsets.ts";
import { BrokerGroups } from "../../../../engine/broker/subscription-groups.ts";
import { BrokerTopics } from "../../../../engine/broker/topic-config.ts";
import { StatsItems } from "../../../../engine/broker/stats-items.ts";
import { LiveBrokerConfig } from "../../../../engine/broker/live-config.ts";
import type { Channel } from "../../../../engine/remoting/channel.ts";
import type { ResponseCommand } from "../../../../engine/remoting/command.ts";
import { FrameReader } from "../../../../engine/remoting/frame.ts";
import { decodeHeaderBytes } from "../../../../engine/remoting/header.ts";
import {
  PUT_STATUS,
  type AppendResult,
  type ArrivalListener,
  type BatchMember,
  type GetMessageResult,
  type MessageInput,
  type MessageStore,
  type PutStatus,
  type PutWaiter,
} from "../../../../engine/store/store-api.ts";

/** A put as the store saw it, buffers copied. */
export interface NotedPut {
  readonly topic: string;
  readonly queueId: number;
  readonly flag: number;
  readonly sysFlag: number;
  readonly bornTimestamp: number;
  readonly reconsumeTimes: number;
  readonly body: string;
  readonly properties: string;
  readonly waits: boolean | null;
  readonly members: readonly string[] | null;
}

export class NotingStore {
  readonly puts: NotedPut[] = [];
  readonly traffic = { messages: 0, bytes: 0, longestMs: 0, timeClasses: [] };
  /** Of the next puts. */
  status: PutStatus = PUT_STATUS.OK;
  /** What the next reads return, the last one for ever. */
  reads: (GetMessageResult | Promise<GetMessageResult>)[] = [];
  readonly readOffsets: number[] = [];
  maxOffset = 0;
  private arrival: ArrivalListener = () => undefined;
  private end = 0;

  append(input: MessageInput): AppendResult {
    return this.note(input, null);
  }

  appendBatch(input: MessageInput, members: readonly BatchMember[]): AppendResult {
    return this.note(
      input,
      members.map(
        ({ flag, body, properties }) => `${flag}:${body.toString()}:${properties.toString()}`,
      ),
    );
  }

  whenSafe(waiter: PutWaiter, waits: boolean): void {
    const last = this.puts.pop();
    if (last !== undefined) this.puts.push({ ...last, waits });
    waiter.complete(PUT_STATUS.OK);
  }

  getMessage(_topic: unknown, _queueId: number, offset: number) {
    this.readOffsets.push(offset);
    const [first, ...rest] = this.reads;
    if (first === undefined) throw new Error("a read nobody expected");
    if (rest.length > 0) this.reads = rest;
    return first;
  }

  maxOffsetInQueue(): number {
    return this.maxOffset;
  }

  onArrival(listener: ArrivalListener): void {
    this.arrival = listener;
  }

  arrive(...args: Parameters<ArrivalListener>): void {
    this.arrival(...args);
  }

  private note(input: MessageInput, members: readonly string[] | null): AppendResult {
    const start = this.end;
    if (this.status === PUT_STATUS.OK) {
      this.end += 100;
      this.puts.push({
        topic: input.topic.text,
        queueId: input.queueId,
        flag: input.flag,
        sysFlag: input.sysFlag,
        bornTimestamp: input.bornTimestamp,
        reconsumeTimes: input.reconsumeTimes,
        body: input.body.toString("hex", input.bodyStart, input.bodyEnd),
        properties: input.properties.toString("utf8", input.propertiesStart, input.propertiesEnd),
        waits: null,
        members,
      });
    }
    return {
      status: this.status,
      physicalOffset: physicalOffset(start),
      queueOffset: queueOffset(this.puts.length),
      endOffset: physicalOffset(this.end),
      storeTimestamp: 0,
      memberOffsets: members === null ? [] : members.map(() => physicalOffset(start)),
    };
  }
}

/** An answer as it left: through `respond`, or as bytes of the slab. */
export interface SeenAnswer extends ResponseCommand {
  readonly opaque: number;
}

/** A channel that keeps what it is told. */
export class NotingChannel {
  readonly id = 1;
  readonly remoteAddress = "192.0.2.7";
  readonly remotePort = 54_321;
  readonly remote = "192.0.2.7:54321";
  isOpen = true;
  readonly answers: SeenAnswer[] = [];
  readonly outbound = {
    slab: Buffer.alloc(65_536),
    view: new DataView(new ArrayBuffer(0)),
    pendingBytes: 0,
    used: 0,
    reserve: () => this.outbound.used,
    commit: (end: number) => this.emit(this.outbound.slab.subarray(this.outbound.used, end)),
    append: (bytes: Buffer, released?: () => void) => {
      this.emit(bytes);
      released?.();
    },
    schedule: () => undefined,
  };
  private readonly closeListeners: (() => void)[] = [];
  private readonly reader = new FrameReader((frame) => {
    const head = frame.buffer.subarray(frame.headerStart, frame.bodyStart);
    const { code, opaque, remark, extFields } = decodeHeaderBytes(head, frame.serializeType);
    const body = Buffer.from(frame.buffer.subarray(frame.bodyStart, frame.end));
    this.answers.push({ code, opaque, remark, extFields, body });
  });

  constructor() {
    const { slab } = this.outbound;
    this.outbound.view = new DataView(slab.buffer, slab.byteOffset, slab.length);
  }

  respond(opaque: number, _type: number, response: ResponseCommand): void {
    this.answers.push({ opaque, ...response });
  }

  onClose(listener: () => void): void {
    this.closeListeners.push(listener);
  }

  end(): void {
    this.isOpen = false;
    for (const listener of this.closeListeners) listener();
  }

  /** The same, as what the engine takes. */
  get asChannel(): Channel {
    return this as unknown as Channel;
  }

  private emit(bytes: Buffer): void {
    this.reader.feed(bytes, 0, bytes.length);
  }
}

/** Context, store and folder of one test. */
export interface BrokerFixture extends Disposable {
  readonly context: BrokerContext;
  readonly store: NotingStore;
}

/** @param properties of the broker's file */
export function brokerFixture(properties = ""): BrokerFixture {
  const root = mkdtempSync(join(tmpdir(), "lab-broker-"));
  const text = `storePathRootDir=${root}\nbrokerName=broker-a\nbrokerClusterName=C1\nbrokerIP1=127.0.0.1\n${properties}`;
  const { config } = loadBrokerConfig([{ name: "test", entries: parseProperties(text, "test") }], {
    home: root,
    hostName: "host",
    localAddress: "127.0.0.1",
    namesrvAddr: "",
    rocketmqHome: "",
    cpus: 2,
  });
  const store = new NotingStore();
  const now = (): number => 1_795_360_000_000;
  const wiring = { config, vfs: nodeVfs, logger: silentLogger, now, registerSoon: () => undefined };
  const filters = new BrokerFilters(wiring);
  const clients = new BrokerClients({ ...wiring, mayNotify: () => false, filters });
  const context = {
    config,
    logger: silentLogger,
    vfs: nodeVfs,
    store: store as unknown as MessageStore,
    topics: new BrokerTopics(wiring),
    groups: new BrokerGroups(wiring),
    offsets: new BrokerOffsets({ vfs: nodeVfs, storePathRootDir: root }),
    clients,
    filters,
    now,
    storeHost: { address: Uint8Array.of(127, 0, 0, 1), port: 10_911 },
    isSlave: config.brokerRole === "SLAVE",
    topicsTold: () => Promise.resolve(),
    bootTimestamp: now(),
    stats: new BrokerCounters(store.traffic),
    statsItems: new StatsItems(config.brokerClusterName),
    liveConfig: new LiveBrokerConfig({ ...wiring, configFile: undefined }),
    aclFile: null,
  } as unknown as BrokerContext;
  return {
    context,
    store,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}
