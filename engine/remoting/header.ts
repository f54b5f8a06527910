import { SERIALIZE_JSON, type SerializeType } from "./command.ts";
import { decodeBinaryHeader, encodeBinaryHeader } from "./header-binary.ts";
import { decodeJsonHeader, encodeJsonHeader } from "./header-json.ts";
import type { DecodedHeader, HeaderValues } from "./header-values.ts";

/** @throws EngineError REMOTING_FRAME_INVALID when the connection must be closed */
export function decodeHeaderBytes(bytes: Buffer, type: SerializeType): DecodedHeader {
  return type === SERIALIZE_JSON ? decodeJsonHeader(bytes) : decodeBinaryHeader(bytes);
}

/**
 * @param header values
 * @param type serialization
 * @param bodyLength bytes that will follow
 * @returns length prefix, header word and header: everything of the frame before the body
 */
export function encodeFrameHead(
  header: HeaderValues,
  type: SerializeType,
  bodyLength: number,
): Buffer {
  const bytes = type === SERIALIZE_JSON ? encodeJsonHeader(header) : encodeBinaryHeader(header);
  const head = Buffer.allocUnsafe(8 + bytes.length);
  head.writeInt32BE(4 + bytes.length + bodyLength, 0);
  head.writeUInt32BE(((type << 24) | bytes.length) >>> 0, 4);
  bytes.copy(head, 8);
  return head;
}
