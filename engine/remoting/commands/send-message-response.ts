/**
 * The answer to a send, written straight into the connection's slab (engine-performance 1.5): constant segments are copied, digits written
 * in place, and the bytes are the ones Java would send (remoting-protocol 4.1.4).
 */
import type { Outbound } from "../channel.ts";
import { SERIALIZE_JSON, type SerializeType } from "../command.ts";
import { encodeFrameHead } from "../header.ts";
import { FLAG_RESPONSE, LANGUAGE_JAVA, VERSION_4_9_0 } from "../command.ts";

/** Fields of a send's answer that differ from message to message. */
export interface SendAnswer {
  readonly code: number;
  readonly opaque: number;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
}

const HEX = Buffer.from("0123456789ABCDEF", "latin1");
const ANSWER_BYTES_MAX = 512;

function segment(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** Writes decimal digits of a safe integer. @returns one past the last */
export function writeDigits(target: Buffer, at: number, value: number): number {
  if (value < 10 && value >= 0) {
    target[at] = 48 + value;
    return at + 1;
  }
  let rest = value < 0 ? -value : value;
  let digits = 1;
  for (let limit = 10; rest >= limit && digits < 16; limit *= 10) digits += 1;
  let end = at;
  if (value < 0) {
    target[end] = 0x2d;
    end += 1;
  }
  end += digits;
  for (let i = end - 1; digits > 0; digits -= 1, i -= 1) {
    const next = Math.floor(rest / 10);
    target[i] = 48 + (rest - next * 10);
    rest = next;
  }
  return end;
}

/** Encodes the answers of one broker: region, trace flag and store host never change while it runs. */
export class SendAnswerEncoder {
  private readonly beforeQueueId: Buffer;
  private readonly beforeMsgId: Buffer;
  private readonly beforeQueueOffset = segment('","queueOffset":"');
  private readonly beforeOpaque = segment('"},"flag":1,"language":"JAVA","opaque":');
  private readonly tail = segment(`,"serializeTypeCurrentRPC":"JSON","version":${VERSION_4_9_0}}`);
  private readonly hostHex: Buffer;
  private readonly region: string;
  private readonly traceOn: string;

  /**
   * @param parts storeHostHex: upper-case hex of store host address and port (4.1.9); region; traceOn
   */
  constructor(parts: {
    readonly storeHostHex: string;
    readonly region: string;
    readonly traceOn: boolean;
  }) {
    this.region = parts.region;
    this.traceOn = String(parts.traceOn);
    this.hostHex = segment(parts.storeHostHex);
    this.beforeQueueId = segment(',"extFields":{"queueId":"');
    this.beforeMsgId = segment(
      `","TRACE_ON":"${this.traceOn}","MSG_REGION":${JSON.stringify(parts.region)},"msgId":"`,
    );
  }

  /** Writes one answer and commits it; the caller schedules. */
  write(outbound: Outbound, answer: SendAnswer, type: SerializeType): void {
    if (type === SERIALIZE_JSON) this.writeJson(outbound, answer);
    else outbound.append(this.binaryAnswer(answer, type));
  }

  private writeJson(outbound: Outbound, answer: SendAnswer): void {
    const start = outbound.reserve(ANSWER_BYTES_MAX);
    const slab = outbound.slab;
    let at = start + 8;
    at += slab.write('{"code":', at, "latin1");
    at = writeDigits(slab, at, answer.code);
    at += this.beforeQueueId.copy(slab, at);
    at = writeDigits(slab, at, answer.queueId);
    at += this.beforeMsgId.copy(slab, at);
    at = this.writeMsgId(slab, at, answer.physicalOffset);
    at += this.beforeQueueOffset.copy(slab, at);
    at = writeDigits(slab, at, answer.queueOffset);
    at += this.beforeOpaque.copy(slab, at);
    at = writeDigits(slab, at, answer.opaque);
    at += this.tail.copy(slab, at);
    outbound.view.setInt32(start, at - start - 4);
    outbound.view.setInt32(start + 4, at - start - 8);
    outbound.commit(at);
  }

  private writeMsgId(slab: Buffer, at: number, physicalOffset: number): number {
    let to = at + this.hostHex.copy(slab, at);
    const high = Math.floor(physicalOffset / 4_294_967_296);
    const low = physicalOffset >>> 0;
    for (let shift = 28; shift >= 0; shift -= 4, to += 1)
      slab[to] = HEX[(high >>> shift) & 15] ?? 0;
    for (let shift = 28; shift >= 0; shift -= 4, to += 1) slab[to] = HEX[(low >>> shift) & 15] ?? 0;
    return to;
  }

  private binaryAnswer(answer: SendAnswer, type: SerializeType): Buffer {
    const id = Buffer.alloc(this.hostHex.length + 16);
    this.writeMsgId(id, 0, answer.physicalOffset);
    const extFields = new Map([
      ["queueId", String(answer.queueId)],
      ["TRACE_ON", this.traceOn],
      ["MSG_REGION", this.region],
      ["msgId", id.toString("latin1")],
      ["queueOffset", String(answer.queueOffset)],
    ]);
    const common = {
      language: LANGUAGE_JAVA,
      version: VERSION_4_9_0,
      flag: FLAG_RESPONSE,
      remark: null,
    };
    return encodeFrameHead(
      { code: answer.code, opaque: answer.opaque, extFields, ...common },
      type,
      0,
    );
  }
}
