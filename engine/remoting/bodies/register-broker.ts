/**
 * Body of REGISTER_BROKER, both forms (remoting-protocol 3.2). The compressed one is a zlib stream of
 *
 *   i32 n, n bytes   DataVersion as JSON
 *   i32              number of topics
 *   i32 n, n bytes   per topic: "name readQueueNums writeQueueNums perm filterType"
 *   i32 n, n bytes   filter server list as a JSON array
 */
import { deflateSync, inflateSync } from "node:zlib";
import { EngineError } from "../../base/engine-error.ts";
import { asObject, parseFastjson, writeFastjson } from "../../base/fastjson.ts";
import {
  decodeDataVersion,
  decodeTextArray,
  readTopicConfigTable,
  topicConfigTableValue,
  type TopicConfigBody,
  type TopicConfigTableBody,
} from "./topic-config.ts";

export interface RegisterBrokerBody {
  readonly table: TopicConfigTableBody;
  /** Null: leave what is stored. */
  readonly filterServerList: readonly string[] | null;
}

/** F-31. */
const INFLATED_BYTES_MAX = 16_777_216;
const RATIO_MAX = 200;
const RATIO_CHECK_BYTES = 1_048_576;

function refuse(message: string): never {
  throw new EngineError("REMOTING_HEADER_INVALID", { message });
}

function inflate(body: Buffer): Buffer {
  let inflated: Buffer;
  try {
    inflated = inflateSync(body, { maxOutputLength: INFLATED_BYTES_MAX });
  } catch {
    return refuse("the compressed registration cannot be inflated within 16 MiB");
  }
  const suspicious =
    inflated.length > RATIO_CHECK_BYTES && inflated.length > body.length * RATIO_MAX;
  return suspicious ? refuse("the compressed registration inflates more than 200 times") : inflated;
}

class PartReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  integer(): number {
    if (this.at + 4 > this.bytes.length) return refuse("the compressed registration is cut off");
    const value = this.bytes.readInt32BE(this.at);
    this.at += 4;
    return value;
  }

  text(): string {
    const length = this.integer();
    if (length < 0 || this.at + length > this.bytes.length)
      return refuse("the compressed registration is cut off");
    const text = this.bytes.toString("utf8", this.at, this.at + length);
    this.at += length;
    return text;
  }
}

function decodeTopicLine(line: string): TopicConfigBody {
  const [topicName, read, write, perm, filter, ...rest] = line.split(" ");
  const numbers = [read, write, perm].map(Number);
  if (
    topicName === undefined ||
    filter === undefined ||
    rest.length > 0 ||
    !numbers.every(Number.isInteger)
  ) {
    return refuse(`"${line.slice(0, 80)}" is no topic of a compressed registration`);
  }
  const [readQueueNums = 0, writeQueueNums = 0, permission = 0] = numbers;
  const topicFilterType = filter === "MULTI_TAG" ? "MULTI_TAG" : "SINGLE_TAG";
  return {
    topicName,
    readQueueNums,
    writeQueueNums,
    perm: permission,
    topicFilterType,
    topicSysFlag: 0,
    order: false,
  };
}

function decodeCompressed(body: Buffer): RegisterBrokerBody {
  const reader = new PartReader(inflate(body));
  const dataVersion = decodeDataVersion(parseFastjson(reader.text()));
  const count = reader.integer();
  if (count < 0 || count > 100_000) refuse(`${count} topics in one registration`);
  const topics: TopicConfigBody[] = [];
  for (let i = 0; i < count; i += 1) topics.push(decodeTopicLine(reader.text()));
  return {
    table: { dataVersion, topics },
    filterServerList: decodeTextArray(parseFastjson(reader.text())),
  };
}

/**
 * @param body null or empty is legal: version 0/0, no topics
 * @param compressed header field
 * @param bare the request's version is below 37: the body is the table itself
 * @throws EngineError REMOTING_HEADER_INVALID | JSON_INVALID
 */
export function decodeRegisterBroker(
  body: Buffer | null,
  compressed: boolean,
  bare = false,
): RegisterBrokerBody {
  if (body === null || body.length === 0)
    return {
      table: { dataVersion: { counter: 0, timestamp: 0 }, topics: [] },
      filterServerList: null,
    };
  if (compressed) return decodeCompressed(body);
  const root = asObject(parseFastjson(body.toString("utf8")));
  if (bare) return { table: readTopicConfigTable(root), filterServerList: null };
  const list = root.get("filterServerList");
  return {
    table: readTopicConfigTable(root.get("topicConfigSerializeWrapper")),
    filterServerList: list === undefined || list === null ? null : decodeTextArray(list),
  };
}

/** @returns the plain form, as a 4.9 broker sends it by default */
export function encodeRegisterBroker(body: RegisterBrokerBody): Buffer {
  const value = {
    filterServerList: body.filterServerList ?? [],
    topicConfigSerializeWrapper: topicConfigTableValue(body.table),
  };
  return Buffer.from(writeFastjson(value), "utf8");
}

function sized(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** @returns the zlib form (broker option compressedRegister) */
export function encodeCompressedRegisterBroker(body: RegisterBrokerBody): Buffer {
  const count = Buffer.alloc(4);
  count.writeInt32BE(body.table.topics.length);
  const lines = body.table.topics.map((topic) =>
    sized(
      [
        topic.topicName,
        topic.readQueueNums,
        topic.writeQueueNums,
        topic.perm,
        topic.topicFilterType,
      ].join(" "),
    ),
  );
  const version = sized(writeFastjson({ ...body.table.dataVersion }));
  return deflateSync(
    Buffer.concat([version, count, ...lines, sized(writeFastjson(body.filterServerList ?? []))]),
    { level: 9 },
  );
}
