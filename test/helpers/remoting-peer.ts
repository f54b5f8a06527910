/** A remoting peer of the tests: one plain socket from a chosen source address, requests with any version, answers by opaque. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { SERIALIZE_JSON } from "../../engine/remoting/command.ts";
import { FrameReader } from "../../engine/remoting/frame.ts";
import { decodeHeaderBytes, encodeFrameHead } from "../../engine/remoting/header.ts";

/** A request as the test writes it. */
export interface PeerRequest {
  readonly code: number;
  readonly ext?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: Buffer | string;
  /** Default: the ordinal of 4.9.0. */
  readonly version?: number;
}

/** An answer, taken apart. */
export interface PeerAnswer {
  readonly code: number;
  readonly remark: string | null;
  readonly ext: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export class RemotingPeer implements Disposable {
  private readonly socket: Socket;
  private readonly waiting = new Map<number, (answer: PeerAnswer) => void>();
  private opaque = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    const reader = new FrameReader((frame) => {
      const header = decodeHeaderBytes(
        frame.buffer.subarray(frame.headerStart, frame.bodyStart),
        frame.serializeType,
      );
      const body = frame.buffer.toString("utf8", frame.bodyStart, frame.end);
      this.waiting.get(header.opaque)?.({
        code: header.code,
        remark: header.remark,
        ext: Object.fromEntries(header.extFields),
        body: body === "" ? null : body,
      });
    });
    socket.on("data", (chunk: Buffer) => reader.feed(chunk, 0, chunk.length));
    socket.on("error", () => undefined);
  }

  /**
   * @param port on 127.0.0.1
   * @param localAddress source address, for example 127.0.0.7
   */
  static async connect(port: number, localAddress = "127.0.0.1"): Promise<RemotingPeer> {
    const socket = connect({ host: "127.0.0.1", port, localAddress });
    await once(socket, "connect");
    return new RemotingPeer(socket);
  }

  /** Resolves with the answer, whatever its code. */
  ask(request: PeerRequest): Promise<PeerAnswer> {
    this.opaque += 1;
    const { opaque } = this;
    const ext = Object.entries(request.ext ?? {}).map(([k, v]) => [k, String(v)] as const);
    const body = Buffer.from(request.body ?? "");
    const header = {
      code: request.code,
      language: 0,
      version: request.version ?? 393,
      opaque,
      flag: 0,
      remark: null,
      extFields: new Map(ext),
    };
    const answered = new Promise<PeerAnswer>((resolve) => this.waiting.set(opaque, resolve));
    this.socket.write(Buffer.concat([encodeFrameHead(header, SERIALIZE_JSON, body.length), body]));
    return answered;
  }

  /** True once the other side closed the connection. */
  get isClosed(): boolean {
    return this.socket.closed;
  }

  /** Closes the connection at once. */
  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
