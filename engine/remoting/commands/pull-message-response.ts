/** The head of a pull's answer, written into the connection's slab; the records are appended behind it without a copy (4.2.4). */
import type { Outbound } from "../channel.ts";
import {
  FLAG_RESPONSE,
  LANGUAGE_JAVA,
  SERIALIZE_JSON,
  VERSION_4_9_0,
  type SerializeType,
} from "../command.ts";
import { encodeFrameHead } from "../header.ts";
import { writeDigits } from "./send-message-response.ts";

/** Fields of a pull's answer. */
export interface PullAnswer {
  readonly code: number;
  readonly opaque: number;
  /** Status name, for example FOUND. */
  readonly remark: string;
  readonly suggestWhichBrokerId: number;
  readonly nextBeginOffset: number;
  readonly minOffset: number;
  readonly maxOffset: number;
  readonly bodyLength: number;
}

const HEAD_BYTES_MAX = 512;
const TAIL = `","serializeTypeCurrentRPC":"JSON","version":${VERSION_4_9_0}}`;

function writeText(slab: Buffer, at: number, text: string): number {
  return at + slab.write(text, at, "latin1");
}

function writeJson(outbound: Outbound, answer: PullAnswer): void {
  const start = outbound.reserve(HEAD_BYTES_MAX);
  const slab = outbound.slab;
  let at = writeText(slab, start + 8, '{"code":');
  at = writeDigits(slab, at, answer.code);
  at = writeText(slab, at, ',"extFields":{"suggestWhichBrokerId":"');
  at = writeDigits(slab, at, answer.suggestWhichBrokerId);
  at = writeText(slab, at, '","nextBeginOffset":"');
  at = writeDigits(slab, at, answer.nextBeginOffset);
  at = writeText(slab, at, '","minOffset":"');
  at = writeDigits(slab, at, answer.minOffset);
  at = writeText(slab, at, '","maxOffset":"');
  at = writeDigits(slab, at, answer.maxOffset);
  at = writeText(slab, at, '"},"flag":1,"language":"JAVA","opaque":');
  at = writeDigits(slab, at, answer.opaque);
  at = writeText(slab, at, ',"remark":"');
  at = writeText(slab, at, answer.remark);
  at = writeText(slab, at, TAIL);
  outbound.view.setInt32(start, at - start - 4 + answer.bodyLength);
  outbound.view.setInt32(start + 4, at - start - 8);
  outbound.commit(at);
}

/**
 * Writes the head of one pull answer; the caller appends exactly `bodyLength` bytes behind it and schedules.
 * The remark must be ASCII without quotes (status names are).
 */
export function writePullAnswerHead(
  outbound: Outbound,
  answer: PullAnswer,
  type: SerializeType,
): void {
  if (type === SERIALIZE_JSON) {
    writeJson(outbound, answer);
    return;
  }
  const extFields = new Map([
    ["suggestWhichBrokerId", String(answer.suggestWhichBrokerId)],
    ["nextBeginOffset", String(answer.nextBeginOffset)],
    ["minOffset", String(answer.minOffset)],
    ["maxOffset", String(answer.maxOffset)],
  ]);
  const { code, opaque, remark } = answer;
  const common = { language: LANGUAGE_JAVA, version: VERSION_4_9_0, flag: FLAG_RESPONSE };
  outbound.append(
    encodeFrameHead({ code, opaque, remark, extFields, ...common }, type, answer.bodyLength),
  );
}
