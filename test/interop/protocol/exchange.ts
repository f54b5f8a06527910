/** One request on one socket and everything that came of it: answer, silence or a closed connection, and what the server asked back. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  FLAG_ONEWAY,
  FLAG_RESPONSE,
  SERIALIZE_JSON,
  type SerializeType,
} from "../../../engine/remoting/command.ts";
import { FrameReader } from "../../../engine/remoting/frame.ts";
import { decodeHeaderBytes, encodeFrameHead } from "../../../engine/remoting/header.ts";
import type { FrameView } from "../../../engine/remoting/processor.ts";

/** A frame of the other side, taken apart. */
export interface Heard {
  readonly code: number;
  readonly opaque: number;
  readonly remark: string | null;
  readonly ext: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What came of a request. */
export type Outcome = Heard | "silent" | "closed";

/** A request as data. */
export interface WireRequest {
  readonly code: number;
  readonly ext?: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly body?: string | Buffer | undefined;
  /** Header in the ROCKETMQ form; default JSON. */
  readonly binary?: true;
  readonly oneway?: true;
  readonly version?: number;
  readonly language?: number;
  /** Bytes sent as they are in place of a frame made from the fields above; its opaque must be RAW_OPAQUE. */
  readonly raw?: Buffer;
}

/** The opaque that hand-made frames carry. */
export const RAW_OPAQUE = 7_000_000;

/** What the peer answers when the server asks it something (a consumer's side of 221, 307, 309). */
export type AnswerBack = (asked: Heard) => { readonly code: number; readonly body: string } | null;

export class Exchange implements Disposable {
  /** Requests of the server, in order of arrival. */
  readonly asked: Heard[] = [];
  private readonly socket: Socket;
  private readonly waiting = new Map<number, (outcome: Outcome) => void>();
  private readonly answerBack: AnswerBack;
  private opaque = 0;
  private isClosed = false;

  private constructor(socket: Socket, answerBack: AnswerBack) {
    this.socket = socket;
    this.answerBack = answerBack;
    const reader = new FrameReader((frame) => this.take(frame));
    socket.on("data", (chunk: Buffer) => reader.feed(chunk, 0, chunk.length));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.isClosed = true;
      for (const settle of this.waiting.values()) settle("closed");
      this.waiting.clear();
    });
  }

  /** @param address `127.0.0.1:port` */
  static async open(address: string, answerBack: AnswerBack = () => null): Promise<Exchange> {
    const [host = "", port = ""] = address.split(":");
    const socket = connect({ host, port: Number(port), noDelay: true });
    await once(socket, "connect");
    return new Exchange(socket, answerBack);
  }

  /** @param silenceMs how long no answer counts as waiting; then the outcome is `silent` */
  ask(request: WireRequest, silenceMs: number): Promise<Outcome> {
    if (this.isClosed) return Promise.resolve("closed");
    this.opaque += 1;
    const opaque = request.raw === undefined ? this.opaque : RAW_OPAQUE;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle("silent"), silenceMs);
      const settle = (outcome: Outcome): void => {
        clearTimeout(timer);
        this.waiting.delete(opaque);
        resolve(outcome);
      };
      this.waiting.set(opaque, settle);
      this.socket.write(request.raw ?? frameOf(request, opaque));
    });
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  private take(frame: FrameView): void {
    const head = frame.buffer.subarray(frame.headerStart, frame.bodyStart);
    const header = decodeHeaderBytes(head, frame.serializeType);
    const heard: Heard = {
      code: header.code,
      opaque: header.opaque,
      remark: header.remark,
      ext: header.extFields,
      body: Buffer.from(frame.buffer.subarray(frame.bodyStart, frame.end)),
    };
    if ((header.flag & FLAG_RESPONSE) !== 0) {
      this.waiting.get(header.opaque)?.(heard);
      return;
    }
    this.asked.push(heard);
    const answer = this.answerBack(heard);
    if (answer === null || (header.flag & FLAG_ONEWAY) !== 0) return;
    const body = Buffer.from(answer.body);
    const values = { ...header, code: answer.code, flag: FLAG_RESPONSE, remark: null };
    const headBytes = encodeFrameHead({ ...values, extFields: null }, SERIALIZE_JSON, body.length);
    this.socket.write(Buffer.concat([headBytes, body]));
  }
}

function frameOf(request: WireRequest, opaque: number): Buffer {
  const body = Buffer.from(request.body ?? "");
  const type: SerializeType = request.binary === true ? 1 : SERIALIZE_JSON;
  const ext =
    request.ext === undefined
      ? null
      : new Map(Object.entries(request.ext).map(([key, value]) => [key, String(value)] as const));
  const header = {
    code: request.code,
    language: request.language ?? 0,
    version: request.version ?? 393,
    opaque,
    flag: request.oneway === true ? FLAG_ONEWAY : 0,
    remark: null,
    extFields: ext,
  };
  return Buffer.concat([encodeFrameHead(header, type, body.length), body]);
}
