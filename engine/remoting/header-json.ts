/**
 * The JSON header (remoting-protocol 1.2). Read leniently: any key order, numbers as strings, unknown keys, language by ordinal.
 * Written exactly as Java does: keys sorted, null members left out, ext values as strings.
 */
import { EngineError } from "../base/engine-error.ts";
import { languageCode, languageName } from "./languages.ts";
import type { DecodedHeader, HeaderValues } from "./header-values.ts";

const EXT_FIELDS_MAX = 256;
const EXT_KEY_BYTES_MAX = 255;
const DEPTH_MAX = 8;

const strictDecoder = new TextDecoder("utf-8", { fatal: true });

function depthOf(value: unknown, level: number): number {
  if (typeof value !== "object" || value === null || level > DEPTH_MAX) return level;
  return Math.max(level, ...Object.values(value).map((item) => depthOf(item, level + 1)));
}

function parse(bytes: Buffer): {
  readonly fields: Record<string, unknown>;
  readonly validUtf8: boolean;
} {
  let text: string;
  let validUtf8 = true;
  try {
    text = strictDecoder.decode(bytes);
  } catch {
    text = bytes.toString("utf8");
    validUtf8 = false;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new EngineError("REMOTING_FRAME_INVALID", { message: "the header is not JSON" });
  }
  if (
    typeof value !== "object" ||
    value === null ||
    Array.isArray(value) ||
    depthOf(value, 0) > DEPTH_MAX
  ) {
    throw new EngineError("REMOTING_FRAME_INVALID", { message: "the header is no JSON object" });
  }
  return { fields: value as Record<string, unknown>, validUtf8 };
}

function integer(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) ? number : null;
}

function int32(value: unknown): number | null {
  const number = integer(value);
  return number !== null && number === (number | 0) ? number : null;
}

function decodeExt(value: unknown): {
  readonly ext: Map<string, string>;
  readonly problem: string | null;
} {
  const ext = new Map<string, string>();
  if (value === undefined || value === null) return { ext, problem: null };
  if (typeof value !== "object" || Array.isArray(value))
    return { ext, problem: "illegal header field <extFields>" };
  for (const [key, item] of Object.entries(value)) {
    if (item === null) continue;
    if (key.length > EXT_KEY_BYTES_MAX)
      return { ext, problem: "an ext field's name is longer than 255 bytes" };
    ext.set(key, typeof item === "object" ? JSON.stringify(item) : String(item));
  }
  return {
    ext,
    problem: ext.size > EXT_FIELDS_MAX ? `more than ${EXT_FIELDS_MAX} ext fields` : null,
  };
}

function decodeLanguage(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" ? languageCode(value) : -1;
}

interface Numbers {
  readonly code: number | null;
  readonly flag: number | null;
  readonly version: number | null;
}

/** The first reason to refuse the request, or null. */
function problemOf(numbers: Numbers, validUtf8: boolean, extProblem: string | null): string | null {
  if (!validUtf8) return "invalid UTF-8 in the header";
  const wrong = (["code", "flag", "version"] as const).find((name) => numbers[name] === null);
  return wrong === undefined ? extProblem : `illegal header field <${wrong}>`;
}

/**
 * @param bytes the header
 * @returns its fields; `problem` names what makes the request refusable although the frame can be answered (F-06, F-08, F-09)
 * @throws EngineError REMOTING_FRAME_INVALID when the connection must be closed (F-05; an opaque that is no int32)
 */
export function decodeJsonHeader(bytes: Buffer): DecodedHeader {
  const { fields, validUtf8 } = parse(bytes);
  const opaque = int32(fields["opaque"] ?? 0);
  if (opaque === null)
    throw new EngineError("REMOTING_FRAME_INVALID", {
      message: "the header's opaque is no 32-bit integer",
    });
  const numbers = {
    code: integer(fields["code"]),
    flag: int32(fields["flag"] ?? 0),
    version: int32(fields["version"] ?? 0),
  };
  const { ext, problem } = decodeExt(fields["extFields"]);
  const remark = fields["remark"];
  return {
    code: numbers.code ?? 0,
    language: decodeLanguage(fields["language"]),
    version: numbers.version ?? 0,
    opaque,
    flag: numbers.flag ?? 0,
    remark: typeof remark === "string" && remark !== "" ? remark : null,
    extFields: ext,
    problem: problemOf(numbers, validUtf8, problem),
  };
}

/** @param header values to announce @returns the bytes Java would write */
export function encodeJsonHeader(header: HeaderValues): Buffer {
  const parts = [`{"code":${header.code}`];
  if (header.extFields !== null) {
    const entries = [...header.extFields].map(
      ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
    );
    parts.push(`"extFields":{${entries.join(",")}}`);
  }
  parts.push(
    `"flag":${header.flag}`,
    `"language":"${languageName(header.language)}"`,
    `"opaque":${header.opaque}`,
  );
  if (header.remark !== null) parts.push(`"remark":${JSON.stringify(header.remark)}`);
  parts.push(`"serializeTypeCurrentRPC":"JSON"`, `"version":${header.version}}`);
  return Buffer.from(parts.join(","), "utf8");
}
