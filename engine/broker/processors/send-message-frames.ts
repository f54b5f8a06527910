/**
 * Sends straight from the read buffer (engine-performance 1.4): no string, no map, no promise a message. It takes what producers send all day
 * (codes 310 and 10, a known plain topic, no delay, no transaction, no batch); everything else, every refusal included, falls to the
 * general path of send-message.ts, which applies the same checks of send-checks.ts.
 */
import { isUtf8 } from "node:buffer";
import { findTopic, type TopicName } from "../../message/topic-name.ts";
import type { Channel } from "../../remoting/channel.ts";
import { FLAG_ONEWAY, FLAG_RESPONSE } from "../../remoting/command.ts";
import { HeaderScan, unescapeInto } from "../../remoting/header-scan.ts";
import type { FrameProcessor, FrameView } from "../../remoting/processor.ts";
import { REQUEST_CODE } from "../../remoting/request-codes.ts";
import type { TopicConfig } from "../broker-context.ts";
import { RETRY_TOPIC_PREFIX } from "../names.ts";
import { appendPair, PROPERTIES_BYTES_MAX } from "../property-bytes.ts";
import {
  bodyRefusal,
  clampReconsumeTimes,
  CLIENT_SYS_FLAGS,
  queueRefusal,
  topicNameRefusal,
} from "../send-checks.ts";
import { SendWaiter, type SendPath } from "../send-path.ts";

/** Escaped property text longer than this takes the general path, which measures it. */
const ESCAPED_BYTES_MAX = 65_536;

const MULTI_TAG = 0x2;

/** Long names by the letter that stands for them in SEND_MESSAGE_V2 (4.1.1). */
const LONG_NAMES: readonly (readonly [string, Buffer])[] = Object.entries({
  a: "producerGroup",
  b: "topic",
  c: "defaultTopic",
  d: "defaultTopicQueueNums",
  e: "queueId",
  f: "sysFlag",
  g: "bornTimestamp",
  h: "flag",
  i: "properties",
  j: "reconsumeTimes",
  m: "batch",
}).map(([letter, name]) => [letter, Buffer.from(name, "latin1")] as const);

const indexOf = (letter: string): number => letter.charCodeAt(0) - 97;
const GROUP = indexOf("a");
const TOPIC = indexOf("b");
const DEFAULT_TOPIC = indexOf("c");
const DEFAULT_QUEUES = indexOf("d");
const QUEUE_ID = indexOf("e");
const SYS_FLAG = indexOf("f");
const BORN_TIMESTAMP = indexOf("g");
const FLAG = indexOf("h");
const PROPERTIES = indexOf("i");
const RECONSUME_TIMES = indexOf("j");
const BATCH = indexOf("m");

class SendMessageFrames {
  private readonly path: SendPath;
  private readonly header = new HeaderScan();
  private readonly scratch: Buffer;
  /** The header of this frame has a field missing or no integer. */
  private isOdd = false;
  /** By topic id: 1 = plain, 2 = special, 0 = not asked yet. Names never change, so neither does the answer. */
  private kinds = new Uint8Array(1_024);

  constructor(path: SendPath) {
    this.path = path;
    this.scratch = Buffer.alloc(ESCAPED_BYTES_MAX + path.clusterPair.length + 1);
  }

  serve(frame: FrameView, channel: Channel): boolean {
    const { header } = this;
    if (!header.scan(frame) || (header.flag & FLAG_RESPONSE) !== 0) return false;
    if (header.code === REQUEST_CODE.SEND_MESSAGE) this.mapLongNames();
    const topic = this.plainTopic(frame.buffer);
    if (topic === undefined || !this.readNumbers(topic) || this.isBatch(frame.buffer)) return false;
    if (!this.readProperties(frame) || !this.passes(topic, frame, channel)) return false;
    this.submit(frame, channel);
    return true;
  }

  /** Points the letters at the long names' entries, so that one reader serves both codes. */
  private mapLongNames(): void {
    const { header } = this;
    for (const [letter, name] of LONG_NAMES) header.byLetter[indexOf(letter)] = header.find(name);
  }

  /** @returns the topic's settings, or undefined when it is unknown or none for the fast path */
  private plainTopic(buffer: Buffer): TopicConfig | undefined {
    const { header } = this;
    const entry = header.byLetter[TOPIC] ?? -1;
    if (entry < 0 || header.escaped[entry] === 1) return undefined;
    const start = header.valueStart[entry] ?? 0;
    const name = findTopic(buffer, start, header.valueEnd[entry] ?? 0);
    if (name === undefined || !this.isPlain(name)) return undefined;
    return this.path.context.topics.get(name);
  }

  private isPlain(name: TopicName): boolean {
    const kind = this.kinds[name.id];
    if (kind === 1 || kind === 2) return kind === 1;
    if (name.id >= this.kinds.length) {
      const larger = new Uint8Array(Math.max(name.id + 1, this.kinds.length * 2));
      larger.set(this.kinds);
      this.kinds = larger;
    }
    const plain = topicNameRefusal(name.text) === null && !name.text.startsWith(RETRY_TOPIC_PREFIX);
    this.kinds[name.id] = plain ? 1 : 2;
    return plain;
  }

  /** Fills the input's numbers; false when one is missing or odd, so that the general path can name it (F-15, F-16). */
  private readNumbers(topic: TopicConfig): boolean {
    const { input } = this.path;
    this.isOdd = !this.has(GROUP) || !this.has(DEFAULT_TOPIC);
    this.int32(DEFAULT_QUEUES);
    input.topic = topic.name;
    input.queueId = this.int32(QUEUE_ID);
    input.flag = this.int32(FLAG);
    input.sysFlag = this.int32(SYS_FLAG) & CLIENT_SYS_FLAGS;
    if (topic.topicFilterType === "MULTI_TAG") input.sysFlag |= MULTI_TAG;
    input.bornTimestamp = this.header.integer(this.header.byLetter[BORN_TIMESTAMP] ?? -1);
    input.reconsumeTimes = this.has(RECONSUME_TIMES)
      ? clampReconsumeTimes(this.int32(RECONSUME_TIMES))
      : 0;
    input.preparedTransactionOffset = 0;
    return !this.isOdd && input.queueId >= 0 && Number.isSafeInteger(input.bornTimestamp);
  }

  private has(letter: number): boolean {
    return (this.header.byLetter[letter] ?? -1) >= 0;
  }

  /** @returns the field's value; `isOdd` is set when it is no 32-bit integer */
  private int32(letter: number): number {
    const value = this.header.integer(this.header.byLetter[letter] ?? -1);
    if (value !== (value | 0)) this.isOdd = true;
    return value;
  }

  /** Only `false` and a missing value are surely no batch. */
  private isBatch(buffer: Buffer): boolean {
    const { header } = this;
    const entry = header.byLetter[BATCH] ?? -1;
    if (entry < 0) return false;
    const start = header.valueStart[entry] ?? 0;
    return (header.valueEnd[entry] ?? 0) - start !== 5 || buffer[start] !== 0x66;
  }

  /** Unescapes the property string, looks at it, and ends it with CLUSTER; false when the general path must judge it. */
  private readProperties(frame: FrameView): boolean {
    const { scratch, path } = this;
    const { scan, input } = path;
    const length = this.copyProperties(frame.buffer);
    if (length < 0) return false;
    scan.scan(scratch, 0, length);
    const isSpecial = scan.hasDelay || scan.isTransaction || scan.hasCluster;
    if (isSpecial || !scan.isWellFormed) return false;
    if (!scan.isAscii && !isUtf8(scratch.subarray(0, length))) return false;
    input.properties = scratch;
    input.propertiesStart = 0;
    input.propertiesEnd = appendPair(scratch, 0, length, path.clusterPair);
    return input.propertiesEnd <= PROPERTIES_BYTES_MAX;
  }

  /** Puts the property string into the scratch buffer. @returns its length, or -1 when it needs the general path */
  private copyProperties(buffer: Buffer): number {
    const { header, scratch } = this;
    if (!this.has(PROPERTIES)) return 0;
    const entry = header.byLetter[PROPERTIES] ?? 0;
    const start = header.valueStart[entry] ?? 0;
    const end = header.valueEnd[entry] ?? 0;
    if (end - start > ESCAPED_BYTES_MAX) return -1;
    if (header.escaped[entry] === 1) return unescapeInto({ buffer, start, end }, scratch, 0);
    return buffer.copy(scratch, 0, start, end);
  }

  private passes(topic: TopicConfig, frame: FrameView, channel: Channel): boolean {
    const { context, input } = this.path;
    return (
      this.path.refusal() === null &&
      queueRefusal(context, topic, input.queueId, channel.remote) === null &&
      bodyRefusal(context, frame.end - frame.bodyStart) === null
    );
  }

  private submit(frame: FrameView, channel: Channel): void {
    const { path, header } = this;
    const { input, scan } = path;
    input.bornHost = path.bornHost(channel);
    input.body = frame.buffer;
    input.bodyStart = frame.bodyStart;
    input.bodyEnd = frame.end;
    const request = {
      channel,
      opaque: header.opaque,
      serializeType: frame.serializeType,
      isOneway: (header.flag & FLAG_ONEWAY) !== 0,
    };
    path.submit(new SendWaiter(path, request, input.queueId), scan.waitStoreMsgOk, null);
  }
}

/** @returns the fast path for codes 310 and 10 */
export function createSendMessageFrames(path: SendPath): FrameProcessor {
  const frames = new SendMessageFrames(path);
  return (frame, channel) => frames.serve(frame, channel);
}
