/** A client of the tests that speaks raw frames to a broker: any header, any flag, binary bodies, answers by opaque. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { readRecord, type RecordView } from "../../engine/message/record-decode.ts";
import { FLAG_ONEWAY, SERIALIZE_JSON, type SerializeType } from "../../engine/remoting/command.ts";
import { FrameReader } from "../../engine/remoting/frame.ts";
import { decodeHeaderBytes, encodeFrameHead } from "../../engine/remoting/header.ts";

export type ExtValues = Readonly<Record<string, string | number | boolean>>;

export interface RawRequest {
  readonly code: number;
  readonly ext?: ExtValues;
  readonly body?: Buffer;
  readonly version?: number;
  readonly serializeType?: SerializeType;
}

export interface RawAnswer {
  readonly code: number;
  readonly remark: string | null;
  readonly ext: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly serializeType: SerializeType;
}

/** A record of a pull's body as the tests look at it. */
export interface PulledMessage extends RecordView {
  readonly text: string;
  readonly topic: string;
  readonly properties: string;
}

/** @returns every record of a body of 11, 12 or 33; throws when one does not parse */
export function recordsOf(body: Buffer): PulledMessage[] {
  const messages: PulledMessage[] = [];
  for (let at = 0; at < body.length;) {
    const record = readRecord(body, at, body.length);
    if (typeof record === "string") throw new Error(`no record at ${at}: ${record}`);
    messages.push({
      ...record,
      text: body.toString("utf8", record.bodyStart, record.bodyEnd),
      topic: body.toString("utf8", record.topicStart, record.topicEnd),
      properties: body.toString("utf8", record.propertiesStart, record.propertiesEnd),
    });
    at += record.totalSize;
  }
  return messages;
}

/** Header fields of a SEND_MESSAGE_V2 to queue 0; `changes` win, undefined ones are left out. */
export function sendFields(
  topic: string,
  changes: Readonly<Record<string, string | number | boolean | undefined>> = {},
): ExtValues {
  const all = {
    a: "PG_test",
    b: topic,
    c: "TBW102",
    d: 4,
    e: 0,
    f: 0,
    g: 1_795_360_599_055,
    h: 0,
    i: "KEYS\u0001k\u0002",
    j: 0,
    k: false,
    m: false,
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string | number | boolean] => {
      return entry[1] !== undefined;
    }),
  );
}

/** Header fields of a pull from queue 0 that brings its own expression and does not wait. */
export function pullFields(topic: string, changes: ExtValues = {}): ExtValues {
  return {
    consumerGroup: "CG_test",
    topic,
    queueId: 0,
    queueOffset: 0,
    maxMsgNums: 32,
    sysFlag: 4,
    commitOffset: 0,
    suspendTimeoutMillis: 15_000,
    subscription: "*",
    subVersion: 0,
    ...changes,
  };
}

export class BrokerPeer implements Disposable {
  private readonly socket: Socket;
  private readonly waiting = new Map<number, (answer: RawAnswer | null) => void>();
  private opaque = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    const reader = new FrameReader((frame) => {
      const head = frame.buffer.subarray(frame.headerStart, frame.bodyStart);
      const header = decodeHeaderBytes(head, frame.serializeType);
      const answered = this.waiting.get(header.opaque);
      this.waiting.delete(header.opaque);
      answered?.({
        code: header.code,
        remark: header.remark,
        ext: Object.fromEntries(header.extFields),
        body: Buffer.from(frame.buffer.subarray(frame.bodyStart, frame.end)),
        serializeType: frame.serializeType,
      });
    });
    socket.on("data", (chunk: Buffer) => reader.feed(chunk, 0, chunk.length));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      for (const answered of this.waiting.values()) answered(null);
      this.waiting.clear();
    });
  }

  /** @param address `127.0.0.1:port` */
  static async connect(address: string): Promise<BrokerPeer> {
    const [host = "", port = ""] = address.split(":");
    const socket = connect({ host, port: Number(port), noDelay: true });
    await once(socket, "connect");
    return new BrokerPeer(socket);
  }

  /** @returns the answer, whatever its code; null when the connection closed first */
  tryAsk(request: RawRequest): Promise<RawAnswer | null> {
    const opaque = this.write(request, 0);
    return new Promise((resolve) => this.waiting.set(opaque, resolve));
  }

  /** @returns the answer, whatever its code @throws when the connection closes first */
  async ask(request: RawRequest): Promise<RawAnswer> {
    const answer = await this.tryAsk(request);
    if (answer === null) throw new Error("the connection closed before the answer");
    return answer;
  }

  /** Sends with the one-way flag. @returns its opaque, which no answer may carry */
  oneway(request: RawRequest): number {
    return this.write(request, FLAG_ONEWAY);
  }

  /** Sends a message with code 310. */
  send(
    topic: string,
    body: string,
    changes: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ): Promise<RawAnswer> {
    return this.ask({ code: 310, ext: sendFields(topic, changes), body: Buffer.from(body) });
  }

  pull(topic: string, changes: ExtValues = {}): Promise<RawAnswer> {
    return this.ask({ code: 11, ext: pullFields(topic, changes) });
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  private write(request: RawRequest, flag: number): number {
    this.opaque += 1;
    const ext = Object.entries(request.ext ?? {}).map(([k, v]) => [k, String(v)] as const);
    const body = request.body ?? Buffer.alloc(0);
    const type = request.serializeType ?? SERIALIZE_JSON;
    const header = {
      code: request.code,
      language: 0,
      version: request.version ?? 393,
      opaque: this.opaque,
      flag,
      remark: null,
      extFields: new Map(ext),
    };
    this.socket.write(Buffer.concat([encodeFrameHead(header, type, body.length), body]));
    return this.opaque;
  }
}
